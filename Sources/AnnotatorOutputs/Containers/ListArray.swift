import Relabel

/// The name of the module that NumPy's internals lie in: it tells version 1 from version 2.
enum NumPyModule: String, Hashable {
  case core = "numpy.core"
  case underscored = "numpy._core"
}

/// A NumPy array in a pickle, or a number where there are no axes.
struct ListArray: Hashable {
  let scalar: TorchScalar
  let shape: [Int]
  /// As many little-endian elements as the shape has, the last axis fastest.
  let bytes: [UInt8]
  let module: NumPyModule

  /// Checks the bytes against the shape.
  ///
  /// - Throws: `.invalidInput` for an array that is longer or shorter than its shape says.
  init(
    _ scalar: TorchScalar,
    shape: [Int],
    _ bytes: [UInt8],
    _ module: NumPyModule
  ) throws(RelabelError) {
    guard checkedProduct(of: shape + [scalar.width]) == bytes.count else {
      throw RelabelError(
        .invalidInput,
        "an array \(shape) of \(scalar.typeName) has \(bytes.count) bytes"
      )
    }
    (self.scalar, self.shape, self.bytes, self.module) = (scalar, shape, bytes, module)
  }
}

extension TorchScalar {
  /// The type that NumPy calls so in pickles, such as `f4`.
  init?(numPy code: String) {
    switch code {
    case "f2": self = .float16
    case "f4": self = .float32
    case "f8": self = .float64
    case "i1": self = .int8
    case "i2": self = .int16
    case "i4": self = .int32
    case "i8": self = .int64
    // Truth values take a byte each, 0 or 1.
    case "u1", "b1": self = .uint8
    default: return nil
    }
  }
}
