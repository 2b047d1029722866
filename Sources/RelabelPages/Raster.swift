internal import HelperProcesses
package import Relabel
internal import RelabelSystem

extension ShownImage {
  /// The drawing as a PNG, which the program `rsvg-convert` makes.
  ///
  /// - Throws: `.usage` naming the package where the program is not installed; `.io` with its words where it fails.
  package func raster() throws(RelabelError) -> [UInt8] {
    let scratch = try ScratchFolder()
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
