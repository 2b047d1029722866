extension Array {
  /// The same elements without memory that was set aside for more, up to as much again.
  ///
  /// For what is kept for every image.
  package var compact: [Element] { withUnsafeBufferPointer { Array($0) } }
}
