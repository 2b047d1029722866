internal import HelperProcesses
internal import Relabel
internal import RelabelSystem
internal import RelabelVerification

/// Small pictures of images, which another program makes: a hostile picture does not reach this process.
struct Thumbnails {
  /// Addresses with the pictures in them, by position.
  private(set) var addresses: [Int: String] = [:]
  /// Images whose picture is missing, or could not be read.
  private(set) var missing = 0

  /// The longest side in pixels.
  private static let side = 224
  /// The most bytes of a thumbnail; a larger one is left out.
  private static let limit = 48 << 10
  /// The most bytes of a picture.
  private static let pictureLimit = 64 << 20
  private static let program = "vipsthumbnail"

  /// Refuses to begin without the program.
  ///
  /// - Throws: `.io` naming the package that has it.
  static func requireProgram() throws(RelabelError) {
    let scratch = try ScratchFolder()
    do throws(RelabelError) {
      try run("command -v \(program) >/dev/null || exit 127", in: scratch)
    } catch {
      throw RelabelError(
        .io,
        "thumbnails of pictures need the program \(program): install the Debian package libvips-tools"
      )
    }
  }

  /// Makes the thumbnails of some images.
  ///
  /// - Throws: `.io` for folders that can't be listed.
  static func of(
    _ positions: [Int],
    in source: any LabelMapSource,
    _ folders: [String]
  ) throws(RelabelError) -> Thumbnails {
    var thumbnails = Thumbnails()
    if folders.isEmpty || positions.isEmpty { return thumbnails }
    let index = try PictureIndex(folders)
    let scratch = try ScratchFolder()
    var copied: [Int] = []
    for position in positions {
      let key = try source.key(at: position)
      guard let path = index.path(ofKey: key),
        let bytes = readable(path)
      else { continue }
      // Names of our own: those of pictures are strangers' and may repeat from folder to folder.
      try FileDescriptor(
        "\(scratch.path)/\(position)",
        .writing(mode: 0o600),
        or: "can't be written"
      )
      .write(bytes)
      copied.append(position)
    }
    if !copied.isEmpty {
      let names = copied.map { "\($0)" }.joined(separator: " ")
      // Of a picture that can't be read there is no thumbnail; the others are made all the same.
      let command =
        "cd \"$RELABEL_THUMBNAILS\" && ulimit -t 300 && { \(program) \(names) --size \(side)x\(side) "
        + "-o '%s.jpg[Q=78,strip]' || true; }"
      try run(command, in: scratch)
    }
    for position in copied {
      let path = "\(scratch.path)/\(position).jpg"
      guard Folder.hasFile(path), try Folder.fileBytes(path) <= limit else { continue }
      let text = Base64.text(of: try Folder.contents(path, limit: limit))
      thumbnails.addresses[position] = "data:image/jpeg;base64,\(text)"
    }
    thumbnails.missing = positions.count - thumbnails.addresses.count
    return thumbnails
  }

  /// The bytes of a picture, nil for one that can't be read: the page counts those.
  private static func readable(_ path: String) -> [UInt8]? {
    do throws(RelabelError) { return try Folder.contents(path, limit: pictureLimit) } catch {
      return nil
    }
  }

  private static func run(_ command: String, in scratch: ScratchFolder) throws(RelabelError) {
    try ShellCommand(command, noun: program).run(
      input: "/dev/null",
      log: "\(scratch.path)/log",
      variable: "RELABEL_THUMBNAILS=\(scratch.path)"
    )
  }
}
