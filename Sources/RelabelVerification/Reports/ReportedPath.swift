internal import Relabel

/// How reports name files: alike wherever they are made from.
enum ReportedPath {
  /// Relative to the working folder for what is below it, else absolute; without `.` and `..`.
  static func name(_ path: String) -> String {
    let parts = normal(Folder.absolute(path))
    let folder = normal(Folder.absolute("."))
    guard parts.count > folder.count, parts.starts(with: folder) else {
      return "/" + parts.joined(separator: "/")
    }
    return parts.dropFirst(folder.count).joined(separator: "/")
  }

  /// The same as a reference of RFC 3986.
  static func uri(_ path: String) -> String {
    let name = name(path)
    return (name.hasPrefix("/") ? "file://" : "") + percentEncoded(name)
  }

  private static func normal(_ path: String) -> [Substring] {
    var parts: [Substring] = []
    for part in path.split(separator: "/") where part != "." {
      if part == ".." { _ = parts.popLast() } else { parts.append(part) }
    }
    return parts
  }

  private static func percentEncoded(_ text: String) -> String {
    let plain = Set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~/".utf8)
    var encoded = ""
    for byte in text.utf8 {
      if plain.contains(byte) {
        encoded.unicodeScalars.append(Unicode.Scalar(byte))
      } else {
        encoded += (byte < 16 ? "%0" : "%") + String(byte, radix: 16, uppercase: true)
      }
    }
    return encoded
  }
}
