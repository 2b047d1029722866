/// Builds a plain tar file, with members that a careful tool would not write.
struct TarFile {
  private(set) var bytes: [UInt8] = []

  /// Adds a member whose type is as in a tar header: `0` for files, `2` for symbolic links.
  mutating func add(
    _ name: String,
    _ contents: [UInt8] = [],
    type: Character = "0",
    link: String = "",
    declaring size: Int? = nil
  ) {
    add(Array(name.utf8), contents, type: type, link: link, declaring: size)
  }

  mutating func add(
    _ name: [UInt8],
    _ contents: [UInt8] = [],
    type: Character = "0",
    link: String = "",
    declaring size: Int? = nil
  ) {
    var header = [UInt8](repeating: 0, count: 512)
    func put(_ text: [UInt8], at place: Int) {
      header.replaceSubrange(place..<place + text.count, with: text)
    }
    func octal(_ value: Int, _ digits: Int) -> [UInt8] {
      let text = String(value, radix: 8)
      return Array((String(repeating: "0", count: digits - text.count) + text).utf8)
    }
    put(name, at: 0)
    put(octal(0o644, 7), at: 100)
    put(octal(size ?? contents.count, 11), at: 124)
    put(octal(0, 11), at: 136)
    put(Array("        ".utf8), at: 148)
    put(Array(String(type).utf8), at: 156)
    put(Array(link.utf8), at: 157)
    put(Array("ustar\u{0}00".utf8), at: 257)
    put(octal(header.reduce(0) { $0 + Int($1) }, 6) + [0, 0x20], at: 148)
    bytes += header + contents
    bytes += [UInt8](repeating: 0, count: (512 - contents.count % 512) % 512)
  }

  /// The file with its end mark.
  var closed: [UInt8] { bytes + [UInt8](repeating: 0, count: 1024) }
}
