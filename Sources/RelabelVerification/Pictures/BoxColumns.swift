package import Relabel

/// The places of the columns of a table of boxes.
package struct BoxColumns {
  private let count: Int
  private let key: Int
  /// Nil in tables without classes.
  private let name: Int?
  /// Top, left, height, width.
  private let sides: [Int]
  /// Height and width of the picture, where sides are pixels.
  private let size: [Int]?

  /// Finds the columns by the names in the first record.
  ///
  /// - Throws: `.usage` naming the column that is missing or there twice.
  package init(_ header: CommaSeparated.Record, hasClass: Bool) throws(RelabelError) {
    let needed = (hasClass ? "key,class" : "key") + ",top,left,height,width"
    func place(_ name: String) throws(RelabelError) -> Int? {
      let places = header.fields.indices.filter { header.fields[$0] == name }
      if places.count > 1 { throw CommaSeparated.fault(header.line, "column '\(name)' is twice") }
      return places.first
    }
    func required(_ name: String) throws(RelabelError) -> Int {
      if let place = try place(name) { return place }
      throw CommaSeparated.fault(header.line, "there is no column '\(name)'; needed are \(needed)")
    }
    count = header.fields.count
    key = try required("key")
    name = hasClass ? try required("class") : nil
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

  /// The class that a record names.
  func name(_ record: CommaSeparated.Record) throws(RelabelError) -> String {
    try check(record)
    return name.map { record.fields[$0] } ?? ""
  }

  private func check(_ record: CommaSeparated.Record) throws(RelabelError) {
    guard record.fields.count == count else {
      let found = record.fields.count
      throw CommaSeparated.fault(record.line, "there are \(found) fields for \(count) columns")
    }
  }

  /// Key and box of a record; its sides are numbers that float32 holds.
  ///
  /// - Throws: `.usage` naming the line.
  package func row(
    _ record: CommaSeparated.Record
  ) throws(RelabelError) -> (key: String, box: CropBox) {
    try check(record)
    func number(_ place: Int) throws(RelabelError) -> Double {
      if let value = Double(record.fields[place]), value.isFinite { return value }
      throw CommaSeparated.fault(record.line, "'\(record.fields[place])' is not a number")
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
    return (record.fields[key], box)
  }
}
