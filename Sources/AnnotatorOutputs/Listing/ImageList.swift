package import Relabel

/// The lines of an image list as keys.
package struct ImageList {
  let lines: [String]
  package let keys: [String]
  private let lineOfKey: [ImageKey.Exact: Int]

  /// Checks the lines: valid, and no two with the same key.
  package init(_ lines: [String]) throws(RelabelError) {
    var keys: [String] = []
    var lineOfKey: [ImageKey.Exact: Int] = [:]
    keys.reserveCapacity(lines.count)
    lineOfKey.reserveCapacity(lines.count)
    for (number, line) in lines.enumerated() {
      let path = line.hasPrefix("./") ? String(line.dropFirst(2)) : line
      let key = ImageKey.strippingExtension(path)
      if let fault = ImageKey.fault(key) {
        throw RelabelError(.usage, "line \(number + 1) of the image list: \(fault)")
      }
      if let earlier = lineOfKey.updateValue(number, forKey: ImageKey.Exact(key)) {
        throw RelabelError(
          .usage,
          "lines \(earlier + 1) and \(number + 1) of the image list give the same key '\(key)'"
        )
      }
      keys.append(key)
    }
    self.lines = lines
    self.keys = keys
    self.lineOfKey = lineOfKey
  }

  /// The line that `key` is on, from 0.
  package func line(of key: String) -> Int? { lineOfKey[ImageKey.Exact(key)] }

  /// What an image that isn't in the list fails with.
  static func missing(_ key: String) -> RelabelError {
    RelabelError(
      .invalidInput,
      "the image list has no line for the key '\(key)'; add the image or leave the list out"
    )
  }
}
