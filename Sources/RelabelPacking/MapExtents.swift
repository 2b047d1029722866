import Relabel
import RelabelVerification

/// What part of its picture each image's map covers, from a table: written as `map_extent` (spec,
/// sections 4.5 and 8.5).
struct MapExtents: Sendable {
  /// By the keys' hashes, as they are stored.
  private let extents: [UInt64: SIMD4<Float>]
  /// What the index records of them.
  let record: JSON

  /// Reads a table of the columns `key`, `top`, `left`, `height` and `width`, as that of boxes is read.
  ///
  /// - Throws: `.usage` naming the line that is not of this form, or whose image came before.
  init(_ table: ExtentTable) throws(RelabelError) {
    do throws(RelabelError) {
      var records = try CommaSeparated(table.bytes, file: table.file)
      guard let header = try records.next() else {
        throw CommaSeparated.fault(1, "there are no column names")
      }
      let columns = try BoxColumns(header, hasClass: false)
      var extents: [UInt64: SIMD4<Float>] = [:]
      while let record = try records.next() {
        let (path, box) = try columns.row(record)
        let key = SourceLabels.key(of: path)
        let sides = SIMD4(box.components.map { Float($0) })
        guard extents.updateValue(sides, forKey: KeyFingerprint.of(key.utf8)) == nil else {
          throw CommaSeparated.fault(
            record.line,
            "the image '\(key)' has another line before this one"
          )
        }
      }
      self.extents = extents
    } catch {
      throw error.located(Location(file: table.file))
    }
    record = .string(Digest.of(table.bytes))
  }

  /// The extent of an image's map.
  ///
  /// - Throws: `.invalidInput` for an image that the table does not name.
  func extent(of key: String) throws(RelabelError) -> SIMD4<Float> {
    let names = [key, SourceLabels.key(of: key)]
    for name in names {
      if let extent = extents[KeyFingerprint.of(name.utf8)] { return extent }
    }
    throw RelabelError(.invalidInput, "the image has no line in the table of map extents")
  }
}

/// A table of map extents that the user named.
public struct ExtentTable: Sendable {
  let file: String
  let bytes: [UInt8]

  /// Wraps the contents of a file.
  public init(file: String, bytes: [UInt8]) {
    (self.file, self.bytes) = (file, bytes)
  }
}
