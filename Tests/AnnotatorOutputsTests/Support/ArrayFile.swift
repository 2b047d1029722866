/// Builds `.npy` files.
enum ArrayFile {
  static func npy(
    _ shape: [Int],
    _ data: [UInt8],
    type: String = "<f4",
    fortran: Bool = false
  ) -> [UInt8] {
    let sizes = shape.map { "\($0), " }.joined()
    return npy(
      header: "{'descr': '\(type)', 'fortran_order': \(fortran ? "True" : "False"),"
        + " 'shape': (\(sizes)), }",
      data
    )
  }

  static func npy(header: String, version: [UInt8] = [1, 0], _ data: [UInt8]) -> [UInt8] {
    let text = Array(header.utf8) + [UInt8(ascii: "\n")]
    var bytes: [UInt8] = [0x93] + Array("NUMPY".utf8) + version
    bytes += [UInt8(text.count & 0xFF), UInt8(text.count >> 8)]
    if version != [1, 0] { bytes += [0, 0] }
    return bytes + text + data
  }

  static func floats(_ values: [Float]) -> [UInt8] { LegacyFile.storage(values) }

  /// A dense map [C, H, W] of values that fall.
  static func dense(_ shape: [Int]) -> [UInt8] {
    let count = shape.reduce(1, *)
    return npy(shape, floats((0..<count).map { -Float($0) }))
  }
}
