import Glibc

/// A file in memory whose contents are replaced again and again.
struct ScratchFile {
  let path: String
  private let descriptor: Int32

  /// The file gets a folder of its own, which goes away with the process.
  init(named name: String) {
    var template = Array("/dev/shm/relabel-fuzz-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else { fatalError("/dev/shm can't be written") }
    let folder = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
    path = "\(folder)/\(name)"
    descriptor = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
    precondition(descriptor >= 0, "/dev/shm can't be written")
  }

  /// The descriptor, at the start of the new contents.
  @discardableResult
  func replace(_ bytes: [UInt8]) -> Int32 {
    precondition(ftruncate(descriptor, 0) == 0 && lseek(descriptor, 0, SEEK_SET) == 0)
    precondition(pwrite(descriptor, bytes, bytes.count, 0) == bytes.count)
    return descriptor
  }
}
