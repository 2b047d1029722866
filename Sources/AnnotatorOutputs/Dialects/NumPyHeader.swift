import Relabel

/// The header of a `.npy` file.
struct NumPyHeader: Hashable {
  let scalar: NumPyScalar
  let isFortran: Bool
  let shape: [Int]
  /// Bytes before the data.
  let length: Int

  /// Bytes of the data; the initialiser has checked that they don't overflow.
  let dataBytes: Int

  private static let magic: [UInt8] = [0x93] + Array("NUMPY".utf8)
  /// Bytes that `lengths(_:)` needs.
  static let prefixBytes: Int = 12

  /// How long the prefix and the header are, from the file's first 12 bytes.
  static func lengths(_ bytes: [UInt8]) throws(RelabelError) -> (prefix: Int, header: Int) {
    var cursor = ByteCursor(bytes, subject: "the array's header")
    guard cursor.skip(magic) else {
      if GitLFSPointer.begins(bytes) {
        throw RelabelError(.invalidInput, GitLFSPointer.fault)
      }
      throw RelabelError(.invalidInput, "this is not a .npy array")
    }
    let version = try cursor.unsigned(2)
    guard (1...3).contains(version) else {
      throw RelabelError(.invalidInput, "the .npy version is not 1.0, 2.0 or 3.0")
    }
    let header = try cursor.unsigned(version == 1 ? 2 : 4)
    guard header <= 1 << 16 else {
      throw RelabelError(.invalidInput, "the array's header declares \(header) bytes")
    }
    return (cursor.position, Int(header))
  }

  /// True for bytes that an array begins with.
  static func begins(_ bytes: [UInt8]) -> Bool { bytes.starts(with: magic) }

  /// Reads the header of a file, which has to be of its size.
  static func read(_ file: ByteRegion, path: String) throws(RelabelError) -> NumPyHeader {
    var head = try file.slice(0, min(file.count, 256)).read(limit: 256, path: path)
    let (prefix, length) = try lengths(head)
    if prefix + length > head.count {
      head = try file.slice(0, min(file.count, prefix + length)).read(limit: 1 << 17, path: path)
    }
    let header = try NumPyHeader(head)
    try header.check(fileBytes: file.count)
    return header
  }

  /// How planes lie in the file.
  func form(_ axes: ArrayAxes, plane: Int = 0) throws(RelabelError) -> PlaneForm {
    guard let scalar = TorchScalar(scalar) else {
      throw RelabelError(.invalidInput, "the array holds text and not numbers")
    }
    return try PlaneForm(
      scalar,
      start: length,
      shape: shape,
      strides: isFortran ? ArrayStrides.ofFortran(shape) : ArrayStrides.ofC(shape),
      axes: axes,
      plane: plane
    )
  }

  /// Reads the header that `bytes` start with.
  init(_ bytes: [UInt8]) throws(RelabelError) {
    let (prefix, header) = try Self.lengths(bytes)
    guard bytes.count - prefix >= header else {
      throw RelabelError(.invalidInput, "the array's header is truncated")
    }
    var literal = NumPyDictionary(
      cursor: ByteCursor(bytes, from: prefix, to: prefix + header, subject: "the array's header")
    )
    let (descriptor, isFortran, shape) = try literal.parse()
    scalar = try NumPyScalar(descriptor)
    guard let width = scalar.width, let count = checkedProduct(of: shape),
      let size = checkedProduct(count, width)
    else { throw RelabelError(.invalidInput, "the array's shape \(shape) overflows") }
    dataBytes = size
    self.isFortran = isFortran
    self.shape = shape
    length = prefix + header
  }

  /// The header that an array would have.
  ///
  /// - Throws: `.invalidInput` when its size overflows.
  init(_ scalar: NumPyScalar, shape: [Int]) throws(RelabelError) {
    guard let width = scalar.width, let count = checkedProduct(of: shape),
      let size = checkedProduct(count, width)
    else { throw RelabelError(.invalidInput, "the array's shape \(shape) overflows") }
    (self.scalar, self.shape, dataBytes) = (scalar, shape, size)
    (isFortran, length) = (false, 0)
  }

  /// Refuses a file of another size than header and data together.
  func check(fileBytes: Int) throws(RelabelError) {
    let (expected, overflow) = length.addingReportingOverflow(dataBytes)
    guard !overflow, fileBytes >= expected else {
      throw RelabelError(
        .invalidInput,
        "the array is truncated: its shape \(shape) needs \(dataBytes) bytes,"
          + " \(fileBytes - length) are there"
      )
    }
    guard fileBytes == expected else {
      throw RelabelError(
        .invalidInput,
        "\(fileBytes - expected) trailing bytes follow the array"
      )
    }
  }
}
