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
    let columns = try BoxColumns(header)
    var names: [String: UInt32] = [:]
    while let record = try records.next() {
      let row = try columns.row(record)
      let name = names[row.name] ?? UInt32(names.count)
      if Int(name) == names.count { classes.append(row.name) }
      names[row.name] = name
      boxes.append(Box(key: KeyFingerprint.of(row.key.utf8), name: name, row.box))
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

/// The places of the columns of a table of boxes.
private struct BoxColumns {
  private let count: Int
  private let key: Int
  private let name: Int
  /// Top, left, height, width.
  private let sides: [Int]
  /// Height and width of the picture, where sides are pixels.
  private let size: [Int]?

  init(_ header: CommaSeparated.Record) throws(RelabelError) {
    func place(_ name: String) throws(RelabelError) -> Int? {
      let places = header.fields.indices.filter { header.fields[$0] == name }
      if places.count > 1 { throw CommaSeparated.fault(header.line, "column '\(name)' is twice") }
      return places.first
    }
    func required(_ name: String) throws(RelabelError) -> Int {
      if let place = try place(name) { return place }
      let names = "key,class,top,left,height,width"
      throw CommaSeparated.fault(header.line, "there is no column '\(name)'; needed are \(names)")
    }
    count = header.fields.count
    key = try required("key")
    name = try required("class")
    sides = [
      try required("top"), try required("left"), try required("height"), try required("width"),
    ]
    switch (try place("image_height"), try place("image_width")) {
    case (let height?, let width?): size = [height, width]
    case (nil, nil): size = nil
    default:
      throw CommaSeparated.fault(header.line, "image_height and image_width go together")
    }
  }

  func row(
    _ record: CommaSeparated.Record
  ) throws(RelabelError) -> (key: String, name: String, box: CropBox) {
    guard record.fields.count == count else {
      let found = record.fields.count
      throw CommaSeparated.fault(record.line, "there are \(found) fields for \(count) columns")
    }
    func number(_ place: Int) throws(RelabelError) -> Double {
      if let value = Double(record.fields[place]), value.isFinite { return value }
      throw CommaSeparated.fault(record.line, "'\(record.fields[place])' is no number")
    }
    var values: [Double] = []
    for side in sides { values.append(try number(side)) }
    if let size {
      let (height, width) = (try number(size[0]), try number(size[1]))
      guard height > 0, width > 0 else {
        throw CommaSeparated.fault(record.line, "the picture is \(height) × \(width) pixels")
      }
      values = zip(values, [height, width, height, width]).map { $0 / $1 }
    }
    // As they are kept: a side may be nothing by then.
    values = values.map { Double(Float($0)) }
    let box = CropBox(top: values[0], left: values[1], height: values[2], width: values[3])
    if let fault = box.fault {
      let hint = size == nil ? "; pixels need the columns image_height and image_width" : ""
      throw CommaSeparated.fault(record.line, "the box is not within its picture: \(fault)\(hint)")
    }
    return (record.fields[key], record.fields[name], box)
  }
}
