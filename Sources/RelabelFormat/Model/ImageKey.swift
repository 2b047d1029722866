/// The rules of an image key (spec, "Image keys").
public enum ImageKey {
  /// The longest key, in bytes of UTF-8.
  public static let maximumBytes: Int = 1024

  /// Why `key` is not a valid image key, or nil when it is one.
  ///
  /// A key is a relative path with `/` between its parts: not empty, no part empty, `.` or `..`,
  /// no control characters, at most 1,024 bytes.
  public static func fault(_ key: some StringProtocol) -> String? {
    var key = String(key)
    return key.withUTF8 { fault($0) }
  }

  /// As above, of a key's bytes.
  package static func fault(_ key: UnsafeBufferPointer<UInt8>) -> String? {
    let (slash, dot) = (UInt8(ascii: "/"), UInt8(ascii: "."))
    if key.isEmpty { return "the path is empty" }
    if key.count > maximumBytes { return "the path has more than \(maximumBytes) bytes" }
    if key.contains(where: { $0 < 0x20 || $0 == 0x7F }) {
      return "the path holds control characters"
    }
    if key.first == slash { return "the path is absolute" }
    var (length, dots) = (0, 0)
    for place in 0...key.count {
      if place < key.count && key[place] != slash {
        length += 1
        if key[place] == dot { dots += 1 }
        continue
      }
      if length == 0 { return "the path has an empty part" }
      if dots == length && dots <= 2 {
        return "the path has the part '\(String(repeating: ".", count: dots))'"
      }
      (length, dots) = (0, 0)
    }
    return nil
  }

  /// The name of the folder that an image lies in, from its key's bytes; nil where there is none.
  package static func folder(of key: ArraySlice<UInt8>) -> String? {
    let slash = UInt8(ascii: "/")
    guard let end = key.lastIndex(of: slash) else { return nil }
    let start = key[..<end].lastIndex(of: slash).map { $0 + 1 } ?? key.startIndex
    return String(exactly: key[start..<end])
  }

  /// `path` without the extension of its last part.
  public static func strippingExtension(_ path: String) -> String {
    String(path[..<extensionStart(path)])
  }

  /// Where the extension of a path's last part begins, with its dot; the end where there is none.
  ///
  /// A dot at the start of the part begins none.
  package static func extensionStart(_ path: String) -> String.Index {
    let bytes = path.utf8
    var place = bytes.endIndex
    while place > bytes.startIndex {
      let before = bytes.index(before: place)
      if bytes[before] == UInt8(ascii: "/") { break }
      if bytes[before] == UInt8(ascii: ".") {
        let isFirst =
          before == bytes.startIndex || bytes[bytes.index(before: before)] == UInt8(ascii: "/")
        return isFirst ? bytes.endIndex : before
      }
      place = before
    }
    return bytes.endIndex
  }

  /// True when `a` comes before `b` in key order: by their UTF-8 bytes.
  public static func precedes(_ a: String, _ b: String) -> Bool {
    a.utf8.lexicographicallyPrecedes(b.utf8)
  }
}
