/// The name of a shard's file, `NAME-00000.h5` (spec, section 11.1).
struct ShardFileName: Hashable, CustomStringConvertible {
  /// What the shards of the dataset share.
  let base: String
  let number: Int

  /// The default of NAME.
  static let defaultBase = "labels"

  init(base: String, number: Int) {
    self.base = base
    self.number = number
  }

  /// Reads a file name without its folder.
  init?(_ file: String) {
    guard file.hasSuffix(".h5"), let dash = file.lastIndex(of: "-"), dash != file.startIndex else {
      return nil
    }
    let digits = file[file.index(after: dash)...].dropLast(3)
    guard digits.utf8.count >= 5, digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
      let number = Int(digits)
    else { return nil }
    self.init(base: String(file[..<dash]), number: number)
  }

  /// As the file is called.
  var description: String {
    let digits = String(number)
    return "\(base)-\(String(repeating: "0", count: max(0, 5 - digits.count)))\(digits).h5"
  }
}
