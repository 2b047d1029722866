import Relabel

/// What the header of a `.safetensors` file says, checked against the file's size.
struct SafetensorsHeader {
  /// A tensor in C order.
  struct Tensor {
    let scalar: TorchScalar
    let shape: [Int]
    /// Bytes of the file before it.
    let start: Int
    let bytes: Int

    /// How its planes lie, measured from `base` bytes into the file.
    func form(_ axes: ArrayAxes, from base: Int) throws(RelabelError) -> PlaneForm {
      try PlaneForm(
        scalar,
        start: start - base,
        shape: shape,
        strides: ArrayStrides.ofC(shape),
        axes: axes
      )
    }
  }

  let tensors: [String: Tensor]

  /// Bytes of the longest header: tens of thousands of tensors.
  private static let maximumBytes = 8 << 20

  private static let scalars: [String: TorchScalar] = [
    "F64": .float64, "F32": .float32, "F16": .float16, "BF16": .bfloat16, "I64": .int64,
    "I32": .int32, "I16": .int16, "I8": .int8, "U8": .uint8, "U16": .uint16, "U32": .uint32,
    "U64": .uint64,
  ]

  init(_ file: ByteRegion, path: String) throws(RelabelError) {
    let prefix = try file.slice(0, min(file.count, 8)).read(limit: 8, path: path)
    if GitLFSPointer.begins(prefix) { throw RelabelError(.invalidInput, GitLFSPointer.fault) }
    var cursor = ByteCursor(prefix, subject: "the file")
    let declared = try cursor.unsigned(8)
    guard let length = Int(exactly: declared), length >= 2, length <= file.count - 8 else {
      throw RelabelError(
        .invalidInput,
        "this is not a .safetensors file, or it is truncated: its first 8 bytes declare a header of \(declared)"
          + " bytes"
      )
    }
    guard length <= Self.maximumBytes else {
      throw RelabelError(
        .unsafeInput,
        "the header has \(length) bytes, more than the \(Self.maximumBytes) that are read: save one tensor of all"
          + " images, and keys"
      )
    }
    let text = try file.slice(8, length).read(limit: Self.maximumBytes, path: path)
    let document: JSON
    do throws(RelabelError) { document = try JSON(parsing: text) } catch {
      throw RelabelError(.invalidInput, "the header is not JSON: \(error.message)")
    }
    guard case .object(let members) = document else {
      throw RelabelError(.invalidInput, "the header is not a JSON object")
    }
    var tensors: [String: Tensor] = [:]
    for (name, member) in members where name != "__metadata__" {
      do throws(RelabelError) {
        tensors[name] = try Self.tensor(member, behind: 8 + length, of: file.count)
      } catch {
        throw error.located(Location(dataset: name))
      }
    }
    self.tensors = tensors
  }

  private static func tensor(
    _ member: JSON,
    behind start: Int,
    of fileBytes: Int
  ) throws(RelabelError) -> Tensor {
    guard let word = member["dtype"]?.string, let sizes = member["shape"]?.array,
      let offsets = member["data_offsets"]?.array?.compactMap(\.integer), offsets.count == 2
    else { throw RelabelError(.invalidInput, "the tensor lacks dtype, shape or data_offsets") }
    guard let scalar = scalars[word] else {
      throw RelabelError(
        .invalidInput,
        "the tensor's type is \(word); \(scalars.keys.sorted().joined(separator: ", ")) are read"
      )
    }
    let shape = sizes.compactMap(\.integer).compactMap { Int(exactly: $0) }
    guard shape.count == sizes.count, shape.count <= 8, let count = checkedProduct(of: shape),
      let bytes = checkedProduct(count, scalar.width)
    else { throw RelabelError(.invalidInput, "the tensor's shape is wrong or overflows") }
    guard offsets[0] >= 0, offsets[0] <= offsets[1], offsets[1] <= fileBytes - start else {
      throw RelabelError(
        .invalidInput,
        "the tensor lies at \(offsets[0])..<\(offsets[1]), and \(fileBytes - start) bytes follow the header"
      )
    }
    guard Int(offsets[1] - offsets[0]) == bytes else {
      throw RelabelError(
        .invalidInput,
        "the tensor's shape \(shape) needs \(bytes) bytes, its place has \(offsets[1] - offsets[0])"
      )
    }
    return Tensor(scalar: scalar, shape: shape, start: start + Int(offsets[0]), bytes: bytes)
  }
}

/// Elements between neighbours along each axis.
enum ArrayStrides {
  /// Where the last axis is fastest.
  static func ofC(_ shape: [Int]) -> [Int] {
    var (strides, product) = ([Int](), 1)
    for size in shape.reversed() {
      strides.append(product)
      product *= max(size, 1)
    }
    return strides.reversed()
  }

  /// Where the first axis is fastest.
  static func ofFortran(_ shape: [Int]) -> [Int] { ofC(shape.reversed()).reversed() }
}
