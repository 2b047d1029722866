package import Relabel
internal import RelabelSystem
package import RelabelVerification

/// A picture that a page or a drawing carries.
package struct ShownPicture {
  /// Kinds that browsers show and whose size is known from their headers.
  package enum Kind: String, CaseIterable, Sendable {
    case jpeg, png, gif, webp, bmp

    /// The kind that the first bytes of a file are of, whatever its name says.
    init?(_ start: ArraySlice<UInt8>) {
      switch start {
      case _ where start.starts(with: [0xFF, 0xD8, 0xFF]): self = .jpeg
      case _ where start.starts(with: [0x89, 0x50, 0x4E, 0x47]): self = .png
      case _ where start.starts(with: "GIF8".utf8): self = .gif
      case _ where start.starts(with: "BM".utf8): self = .bmp
      case _ where start.starts(with: "RIFF".utf8) && start.dropFirst(8).starts(with: "WEBP".utf8):
        self = .webp
      default: return nil
      }
    }
  }

  /// What the bytes are.
  package let kind: Kind
  /// Height and width as stored.
  package let size: PictureSize
  /// True where its EXIF asks viewers to rotate or mirror it; nobody here does so.
  package let asksForRotation: Bool
  private let bytes: [UInt8]

  /// The most bytes of a picture that a page carries.
  package static let maximumBytes = 64 << 20

  /// Reads a picture.
  ///
  /// - Throws: `.io` for a file that can't be read, `.invalidInput` saying why for one that no page can show.
  package init(_ path: String) throws(RelabelError) {
    let count = try Folder.fileBytes(path)
    guard count <= Self.maximumBytes else {
      throw RelabelError(
        .invalidInput,
        "the picture has \(count) bytes, and a page carries at most \(Self.maximumBytes)",
        at: Location(file: path)
      )
    }
    let bytes = try FileBytes(path).bytes(at: 0, count: Int(count))
    guard let kind = Kind(bytes[...]), let size = PictureSize(header: PictureBytes(bytes)) else {
      throw RelabelError(
        .invalidInput,
        "the picture is no sound JPEG, PNG, GIF, WebP or BMP, which are what pages can show",
        at: Location(file: path)
      )
    }
    (self.kind, self.size, self.bytes) = (kind, size, bytes)
    asksForRotation = kind == .jpeg && (ExifOrientation(jpeg: bytes)?.number ?? 1) > 1
  }

  /// The picture within a text, as a `data:` address of its real type.
  package var dataAddress: String { "data:image/\(kind.rawValue);base64,\(Base64.text(of: bytes))" }

  /// Finds and reads the one picture of a key below some folders.
  ///
  /// - Returns: the picture, or why it can't be shown.
  /// - Throws: `.io` for a folder or a file that is there and can't be read.
  package static func load(
    _ key: String,
    in folders: [String]
  ) throws(RelabelError) -> Result<ShownPicture, RelabelError> {
    switch try find(key, in: folders) {
    case .failure(let error): return .failure(error)
    case .success(let path):
      do throws(RelabelError) { return .success(try ShownPicture(path)) } catch {
        guard error.code == .invalidInput else { throw error }
        return .failure(error)
      }
    }
  }

  /// Finds the one picture of a key below some folders; looks only where it would be.
  ///
  /// - Returns: the path, or why there is none.
  /// - Throws: `.io` for a folder that is there and can't be listed.
  package static func find(
    _ key: String,
    in folders: [String]
  ) throws(RelabelError) -> Result<String, RelabelError> {
    var found: [String] = []
    for folder in folders where ImageKey.fault(key) == nil {
      let parent = Folder.parent(of: "\(folder)/\(key)")
      guard Folder.exists(parent) else { continue }
      let name = Folder.name(of: key)
      for entry in try Folder.names(parent) where ImageKey.strippingExtension(entry) == name {
        let ending = entry.dropFirst(name.count + 1)
        if PictureTree.isPicture(String(ending)) { found.append("\(parent)/\(entry)") }
      }
    }
    if found.count == 1 { return .success(found[0]) }
    let places = folders.joined(separator: ", ")
    let message =
      found.isEmpty
      ? "there is no picture of this key below \(places)"
      : "\(found.count) pictures below \(places) have this key"
    return .failure(RelabelError(.notFound, message, at: Location(key: key)))
  }
}
