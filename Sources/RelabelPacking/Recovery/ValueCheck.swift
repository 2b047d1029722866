import Relabel

/// Looks at a row's value of an optional dataset (spec, section 4.5).
struct ValueCheck: Sendable {
  let name: String
  private let type: ElementType
  private let fill: [UInt8]
  private let numClasses: Int
  private let viewSize: ViewFacts.Size?

  init(_ column: Layout.Column, _ header: ShardHeader) {
    (numClasses, viewSize) = (header.numClasses, header.views?.size)
    name = column.name
    type = column.types.first ?? .uint8
    fill = Layout.fillValue(type)
  }

  /// The fault of a value, from its stored bytes.
  func fault(_ bytes: ArraySlice<UInt8>) -> RowFault? {
    if !Layout.mayBeUnknown.contains(name), let fault = faultOfUnwritten(bytes) { return fault }
    let found = OptionalValues.fault(bytes, of: name, numClasses: numClasses, viewSize: viewSize)
    return found.map { RowFault(.value, $0.rule, "its \(name) is wrong: \($0.reason)") }
  }

  private func faultOfUnwritten(_ bytes: ArraySlice<UInt8>) -> RowFault? {
    for start in stride(from: bytes.startIndex, to: bytes.endIndex, by: fill.count)
    where bytes[start..<start + fill.count] == fill[...] {
      return RowFault(.value, .v007, "its \(name) was never written")
    }
    guard type == .float32 else { return nil }
    let values = bytes.withUnsafeBytes { raw in
      (0..<raw.count / 4).map {
        Float(
          bitPattern: UInt32(
            littleEndian: raw.loadUnaligned(fromByteOffset: $0 * 4, as: UInt32.self)
          )
        )
      }
    }
    if !values.allSatisfy(\.isFinite) {
      return RowFault(.value, .v003, "its \(name) is not finite")
    }
    return nil
  }
}
