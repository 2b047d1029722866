public import Relabel

/// Boxes that say where classes are on pictures, from a table with comma-separated values.
public struct BoxTable: Sendable {
  /// Where a class is on a picture.
  struct Box: Sendable {
    fileprivate let key: UInt64
    /// The class as the table names it: a place in `classes`.
    let name: UInt32
    private let top: Float
    private let left: Float
    private let height: Float
    private let width: Float

    fileprivate init(key: UInt64, name: UInt32, _ box: CropBox) {
      self.key = key
      self.name = name
      (top, left) = (Float(box.top), Float(box.left))
      (height, width) = (Float(box.height), Float(box.width))
    }

    /// The box, in fractions of the picture.
    var place: CropBox {
      CropBox(
        top: Double(top),
        left: Double(left),
        height: Double(height),
        width: Double(width)
      )
    }
  }

  /// In the order of their keys' hashes.
  private var boxes: [Box] = []
  /// The classes that the table names, each once.
  private(set) var classes: [String] = []
  /// Boxes of the table.
  var count: Int { boxes.count }

  /// Reads the columns `key`, `class`, `top`, `left`, `height` and `width` of a table whose first
  /// record names its columns, in any order; other columns are passed over.
  ///
  /// `key` is an image key. `class` is an id of the class table, a name of it, or a class index.
  /// The sides are fractions of the picture; with the columns `image_height` and `image_width`,
  /// pixels of a picture of that size.
  /// - Throws: `.usage` naming the line that is not of this form.
  /// - Complexity: O(n log n); keeps 32 bytes for each box.
  public init(parsing bytes: [UInt8], file: String) throws(RelabelError) {
    do {
      try read(CommaSeparated(bytes, file: file))
    } catch {
      throw error.located(Location(file: file))
    }
    boxes.sort { $0.key < $1.key }
  }

  private mutating func read(_ records: consuming CommaSeparated) throws(RelabelError) {
    guard let header = try records.next() else {
      throw CommaSeparated.fault(1, "there are no column names")
    }
    let columns = try BoxColumns(header, hasClass: true)
    var names: [String: UInt32] = [:]
    while let record = try records.next() {
      let (key, box) = try columns.row(record)
      let text = try columns.name(record)
      let name = names[text] ?? UInt32(names.count)
      if Int(name) == names.count { classes.append(text) }
      names[text] = name
      boxes.append(Box(key: KeyFingerprint.of(key.utf8), name: name, box))
    }
  }

  /// The boxes on the picture of an image.
  func boxes(ofKey key: String) -> ArraySlice<Box> {
    let hash = KeyFingerprint.of(key.utf8)
    var (low, high) = (0, boxes.count)
    while low < high {
      let middle = (low + high) / 2
      if boxes[middle].key < hash { low = middle + 1 } else { high = middle }
    }
    return boxes[low...].prefix { $0.key == hash }
  }
}
