/// The rules of an image key (spec, "Image keys").
public enum ImageKey {
  /// The longest key, in bytes of UTF-8.
  public static let maximumBytes: Int = 1024

  /// Why `key` is not a valid image key, or nil when it is one.
  ///
  /// A key is a relative path with `/` between its parts: not empty, no part empty, `.` or `..`,
  /// no control characters, at most 1,024 bytes.
  public static func fault(_ key: some StringProtocol) -> String? {
    if key.isEmpty { return "the path is empty" }
    if key.utf8.count > maximumBytes { return "the path has more than \(maximumBytes) bytes" }
    if key.unicodeScalars.contains(where: { $0.value < 0x20 || $0.value == 0x7F }) {
      return "the path holds control characters"
    }
    if key.utf8.first == UInt8(ascii: "/") { return "the path is absolute" }
    for part in key.split(separator: "/", omittingEmptySubsequences: false) {
      if part.isEmpty { return "the path has an empty part" }
      if part == "." || part == ".." { return "the path has the part '\(part)'" }
    }
    return nil
  }

  /// `path` without the extension of its last part.
  public static func strippingExtension(_ path: String) -> String {
    let bytes = Array(path.utf8)
    let start = (bytes.lastIndex(of: UInt8(ascii: "/")) ?? -1) + 1
    guard let dot = bytes[start...].lastIndex(of: UInt8(ascii: ".")), dot > start else {
      return path
    }
    return String(decoding: bytes[..<dot], as: UTF8.self)
  }

  /// True when `a` comes before `b` in key order: by their UTF-8 bytes.
  public static func precedes(_ a: String, _ b: String) -> Bool {
    a.utf8.lexicographicallyPrecedes(b.utf8)
  }
}
