extension Double {
  /// The number with at most so many decimal places.
  func text(places: Int) -> String {
    let scale = (0..<places).reduce(1.0) { scale, _ in scale * 10 }
    let value = (self * scale).rounded() / scale
    return value == value.rounded() && abs(value) < 1e15 ? "\(Int(value))" : "\(value)"
  }

  /// A share of one as percent.
  package var percent: String { "\((self * 1000).rounded() / 10) %" }
}
