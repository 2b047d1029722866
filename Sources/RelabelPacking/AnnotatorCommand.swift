internal import HelperProcesses
public import Relabel
public import RelabelVerification

/// An annotator that is a shell command of the user.
///
/// The command is run once by `/bin/sh`. On its standard input it gets a line `KEY<TAB>PATH` for each
/// picture. Into the folder that the environment variable `RELABEL_OUTPUT` names it writes one output
/// for each key, `KEY.pt` or `KEY.npy`, or batches as `.npz`: what `relabel-pack` reads.
public struct AnnotatorCommand: Annotator {
  private let command: String

  /// Makes an annotator of a shell command.
  public init(_ command: String) { self.command = command }

  /// Runs the command to its end.
  ///
  /// Callable from any thread; the command's own output is not shown.
  /// - Throws: `.io` with the last words of a command that fails, or leaves nothing that can be read.
  public func annotate(_ request: AnnotationRequest) throws(RelabelError) -> any FreshMaps {
    let folder = try ScratchFolder()
    let output = "\(folder.path)/output"
    try Folder.create(output)
    let listing = "\(folder.path)/pictures"
    try Self.write(request, to: listing)
    try ShellCommand(command, noun: "the annotator").run(
      input: listing,
      log: "\(folder.path)/log",
      variable: "RELABEL_OUTPUT=\(output)"
    )
    do {
      return try AnnotatedFolder(folder, output, request)
    } catch {
      throw RelabelError(.io, "the annotator's output can't be read: \(error.message)")
    }
  }

  private static func write(
    _ request: AnnotationRequest,
    to path: String
  ) throws(RelabelError) {
    let file = try FileDescriptor(path, .writing(mode: 0o600), or: "can't be written")
    for (key, picture) in request.pictures {
      // No key holds a tab or a line break.
      if picture.utf8.contains(UInt8(ascii: "\n")) {
        throw RelabelError(.io, "the path holds a line break", at: Location(file: picture))
      }
      try file.write(Array("\(key)\t\(Folder.absolute(picture))\n".utf8))
    }
  }
}
