/// The value of an attribute, in the types this package writes.
package enum AttributeValue: Hashable, Sendable {
  /// A scalar string, padding removed.
  case string([UInt8])
  case integers([Int64])
  case floats([Double])

  /// True for the same bits: two readings of one NaN are equal.
  package static func == (one: AttributeValue, other: AttributeValue) -> Bool {
    switch (one, other) {
    case (.string(let one), .string(let other)): one == other
    case (.integers(let one), .integers(let other)): one == other
    case (.floats(let one), .floats(let other)): one.elementsEqual(other, by: isSame)
    default: false
    }
  }

  private static func isSame(_ one: Double, _ other: Double) -> Bool {
    one.bitPattern == other.bitPattern
  }

  package func hash(into hasher: inout Hasher) {
    switch self {
    case .string(let bytes): hasher.combine(bytes)
    case .integers(let values): hasher.combine(values)
    case .floats(let values): hasher.combine(values.map(\.bitPattern))
    }
  }
}

/// An attribute with its type.
package struct Attribute: Hashable, Sendable {
  package let name: String
  package let type: ElementType
  /// Empty for a scalar.
  package let shape: [Int]
  /// Nil if this package does not read the type or the shape.
  package let value: AttributeValue?

  package init(name: String, type: ElementType, shape: [Int], value: AttributeValue?) {
    self.name = name
    self.type = type
    self.shape = shape
    self.value = value
  }

  /// Elements of the attribute, nil when it is absurdly many.
  package var count: Int? {
    shape.reduce(1) { product, side in
      guard let (value, overflow) = product.map({ $0.multipliedReportingOverflow(by: side) }),
        !overflow
      else { return nil }
      return value
    }
  }
}

extension Attribute {
  /// Why a string attribute may not stand in a shard (spec, section 3.6), or nil for one that may, and
  /// for numbers.
  package var faultOfString: String? {
    switch type {
    case .oddString(_, let what): return "is a \(what), not null-padded UTF-8"
    case .utf8: break
    default: return nil
    }
    guard shape.isEmpty, case .string(let bytes)? = value else { return "is a list of strings" }
    if bytes.isEmpty { return "is an empty string" }
    if bytes.contains(0) { return "holds a null byte" }
    if String(validating: bytes, as: UTF8.self) == nil { return "is not valid UTF-8" }
    return nil
  }
}

extension AttributeValue {
  /// An attribute in the object header is under 64 KiB, so larger ones are not ours to read.
  private static let largest = 65_536

  /// False for types that no attribute of a shard has, and for too many elements.
  package static func isRead(_ type: ElementType, count: Int) -> Bool {
    switch type {
    case .oddString, .other, .uint64, .float16: false
    default: type.size > 0 && (1...largest).contains(count) && type.size <= largest / count
    }
  }

  /// Reads a value from the little-endian bytes of its elements.
  ///
  /// - Returns: nil for what this package does not read.
  package init?(_ bytes: [UInt8], _ type: ElementType, count: Int) {
    guard Self.isRead(type, count: count), bytes.count == type.size * count else { return nil }
    switch type {
    case .utf8:
      guard count == 1 else { return nil }
      self = .string(Array(bytes[..<(bytes.lastIndex { $0 != 0 }.map { $0 + 1 } ?? 0)]))
    case .uint8: self = .integers(bytes.map(Int64.init))
    case .uint16: self = .integers(Self.elements(bytes, UInt16.self).map(Int64.init))
    case .uint32: self = .integers(Self.elements(bytes, UInt32.self).map(Int64.init))
    case .int8: self = .integers(bytes.map { Int64(Int8(bitPattern: $0)) })
    case .int16: self = .integers(Self.elements(bytes, Int16.self).map(Int64.init))
    case .int32: self = .integers(Self.elements(bytes, Int32.self).map(Int64.init))
    case .int64: self = .integers(Self.elements(bytes, Int64.self))
    case .float32: self = .floats(Self.elements(bytes, Float.self).map(Double.init))
    case .float64: self = .floats(Self.elements(bytes, Double.self))
    case .uint64, .float16, .oddString, .other: return nil
    }
  }

  private static func elements<Element>(_ bytes: [UInt8], _: Element.Type) -> [Element] {
    bytes.withUnsafeBytes { raw in
      (0..<raw.count / MemoryLayout<Element>.size).map {
        raw.loadUnaligned(fromByteOffset: $0 * MemoryLayout<Element>.size, as: Element.self)
      }
    }
  }
}
