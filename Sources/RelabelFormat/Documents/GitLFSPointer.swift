/// What git-lfs leaves in the place of a file that it has not fetched.
package enum GitLFSPointer {
  private static let start: [UInt8] = Array("version https://git-lfs.github.com/spec/".utf8)

  /// What a reader says of a pointer in the place of a file.
  package static let fault: String =
    "this is a git-lfs pointer, not the file itself; run 'git lfs pull' to fetch it"

  /// True for the bytes of a pointer, or the first of them.
  package static func begins(_ bytes: some Collection<UInt8>) -> Bool {
    bytes.starts(with: start)
  }
}
