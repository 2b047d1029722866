internal import HelperProcesses
package import Relabel
internal import RelabelSystem
internal import RelabelVerification

extension ShownImage {
  /// The drawing as a PNG, which the program `rsvg-convert` makes.
  ///
  /// - Throws: `.usage` naming the package where the program is not installed, or for a picture that it does not draw;
  ///   `.io` with its words where it fails.
  package func raster() throws(RelabelError) -> [UInt8] {
    let scratch = try ScratchFolder()
    // It says nothing of a picture that it can't decode, and leaves it out.
    if let picture,
      try Self.raster(of: picture.alone, scratch) == Self.raster(of: Self.nothing, scratch)
    {
      throw RelabelError(
        .usage,
        "rsvg-convert draws nothing of the picture, \(picture.kind.rawValue): it can't decode it, or nothing can be seen of it;"
          + " write an .svg or .html, or make a PNG or JPEG of the picture",
        at: Location(key: key)
      )
    }
    return try Self.raster(of: drawing, scratch)
  }

  private static let nothing =
    "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"16\" height=\"16\"></svg>\n"

  private static func raster(of drawing: String, _ scratch: ScratchFolder) throws(RelabelError)
    -> [UInt8]
  {
    let (input, output) = ("\(scratch.path)/map.svg", "\(scratch.path)/map.png")
    try PublishedFile.write(Array(drawing.utf8), to: input)
    // A picture may be larger than the longest text that XML parsers take by themselves.
    try OutsideProgram("rsvg-convert", package: "librsvg2-bin").run(
      ["--format=png", "--unlimited"],
      input: input,
      output: output,
      log: "\(scratch.path)/log"
    )
    let bytes = Int(try Folder.fileBytes(output))
    return try FileBytes(output).bytes(at: 0, count: bytes)
  }
}

extension ShownPicture {
  /// The picture and nothing else, small, as an SVG document.
  fileprivate var alone: String {
    var root = XMLElement(
      "svg",
      [("xmlns", "http://www.w3.org/2000/svg"), ("width", "16"), ("height", "16")]
    )
    root.children = [
      XMLElement(
        "image",
        [
          ("href", dataAddress), ("width", "16"), ("height", "16"),
          ("preserveAspectRatio", "none"),
        ]
      )
    ]
    return root.document + "\n"
  }
}
