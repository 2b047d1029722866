/// The value of an attribute, in the types this package writes.
package enum AttributeValue: Hashable, Sendable {
  /// A scalar string, padding removed.
  case string([UInt8])
  case integers([Int64])
  case floats([Double])
}

/// An attribute with its type.
package struct Attribute: Hashable, Sendable {
  package let name: String
  package let type: ElementType
  /// Empty for a scalar.
  package let shape: [Int]
  /// Nil when the type or the shape is none that this package reads.
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
