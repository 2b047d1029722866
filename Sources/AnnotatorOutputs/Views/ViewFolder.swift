import Relabel

/// A folder in which labels of crops may lie.
struct ViewFolder {
  /// Folders that are looked into for files.
  static let maximumDepth: Int = 6
  private static let glanced = 1024

  /// The path, which ends with a slash.
  let path: String

  init(_ path: String) { self.path = path.hasSuffix("/") ? path : path + "/" }

  /// The name of the folder itself.
  var name: String { Folder.name(of: String(path.dropLast())) }

  /// True when something of this name is in the folder.
  func has(_ name: String) -> Bool { Folder.hasFile(path + name) }

  /// Names in the folder that are UTF-8 and not hidden, in the order of their bytes.
  func names(atMost most: Int = .max) throws(RelabelError) -> [String] {
    let entries = try FolderEntry.all(
      in: Array(path.utf8),
      or: "the folder can't be read",
      atMost: most
    )
    return entries.compactMap {
      $0.name.first == UInt8(ascii: ".") ? nil : String(exactly: $0.name[...])
    }
  }

  /// Some names, enough to see what the folder is: there may be millions, and mostly no labels of crops.
  func glance() throws(RelabelError) -> [String] {
    try names(atMost: Self.glanced)
  }

  /// The folder in this one, where it is all that is there.
  var onlyFolder: ViewFolder? {
    get throws(RelabelError) {
      let names = try glance()
      guard names.count == 1, Folder.exists(path + names[0]) else { return nil }
      return ViewFolder(path + names[0])
    }
  }

  /// The numbers of names that are one between a prefix and a suffix, ascending, and the names that are not.
  func numbered(
    _ prefix: String,
    _ suffix: String
  ) throws(RelabelError) -> (numbers: [Int], others: [String]) {
    var (numbers, others): ([Int], [String]) = ([], [])
    for name in try names() {
      if let number = name.number(between: prefix, suffix) {
        numbers.append(number)
      } else {
        others.append(name)
      }
    }
    return (numbers.sorted(), others)
  }
}

extension String {
  /// The number that stands between a prefix and a suffix, written without leading zeros.
  func number(between prefix: String, _ suffix: String) -> Int? {
    guard hasPrefix(prefix), hasSuffix(suffix), utf8.count > prefix.utf8.count + suffix.utf8.count
    else { return nil }
    return dropFirst(prefix.count).dropLast(suffix.count).plainNumber
  }
}

extension StringProtocol {
  /// The number that the digits are, if there are no leading zeros and at most ten.
  var plainNumber: Int? {
    guard (1...10).contains(utf8.count), utf8.allSatisfy({ (0x30...0x39).contains($0) }),
      utf8.count == 1 || utf8.first != 0x30
    else { return nil }
    return Int(self)
  }
}
