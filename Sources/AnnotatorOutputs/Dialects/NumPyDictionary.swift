import Relabel

/// The Python dictionary of a `.npy` header, parsed strictly and never evaluated.
struct NumPyDictionary {
  var cursor: ByteCursor

  mutating func parse() throws(RelabelError) -> (String, Bool, [Int]) {
    var descriptor: String?
    var isFortran: Bool?
    var shape: [Int]?
    try expect("{")
    while !accept("}") {
      let key = try string()
      try expect(":")
      switch key {
      case "descr" where descriptor == nil: descriptor = try string()
      case "fortran_order" where isFortran == nil: isFortran = try boolean()
      case "shape" where shape == nil: shape = try tuple()
      default: throw malformed("it has the key '\(key)' too often or unasked")
      }
      if accept("}") { break }
      try expect(",")
    }
    skipSpaces()
    guard cursor.skip(Array("\n".utf8)), cursor.remaining == 0 else {
      throw malformed("something follows the dictionary")
    }
    guard let descriptor, let isFortran, let shape else {
      throw malformed("descr, fortran_order and shape are not all there")
    }
    return (descriptor, isFortran, shape)
  }

  private mutating func string() throws(RelabelError) -> String {
    skipSpaces()
    guard let quote = ["'", "\""].first(where: { cursor.skip(Array($0.utf8)) }),
      let end = quote.utf8.first
    else { throw malformed("a quoted text is missing; structured arrays are not read") }
    var text: [UInt8] = []
    while true {
      let byte = try cursor.byte()
      if byte == end { break }
      guard byte != UInt8(ascii: "\\"), text.count < 64 else { throw malformed("a text is odd") }
      text.append(byte)
    }
    return String(decoding: text, as: UTF8.self)
  }

  private mutating func boolean() throws(RelabelError) -> Bool {
    if accept("True") { return true }
    if accept("False") { return false }
    throw malformed("fortran_order is neither True nor False")
  }

  private mutating func tuple() throws(RelabelError) -> [Int] {
    var values: [Int] = []
    try expect("(")
    while !accept(")") {
      guard let value = try integer() else { throw malformed("the shape is not a tuple of sizes") }
      values.append(value)
      guard values.count <= 32 else { throw malformed("the shape has too many axes") }
      if accept(")") {
        // (3) is a number in Python; only (3,) is a tuple.
        if values.count == 1 { throw malformed("the shape is a number") }
        break
      }
      try expect(",")
    }
    return values
  }

  private mutating func integer() throws(RelabelError) -> Int? {
    skipSpaces()
    var digits = ""
    while cursor.remaining > 0,
      (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(cursor.bytes[cursor.position])
    {
      digits.unicodeScalars.append(Unicode.Scalar(try cursor.byte()))
      guard digits.utf8.count <= 20 else { return nil }
    }
    return Int(digits)
  }

  private mutating func expect(_ token: String) throws(RelabelError) {
    guard accept(token) else { throw malformed("'\(token)' is missing") }
  }

  private mutating func accept(_ token: String) -> Bool {
    skipSpaces()
    return cursor.skip(Array(token.utf8))
  }

  private mutating func skipSpaces() {
    while cursor.skip([UInt8(ascii: " ")]) {}
  }

  private func malformed(_ what: String) -> RelabelError {
    RelabelError(.invalidInput, "the array's header is malformed: \(what)")
  }
}
