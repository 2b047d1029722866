import Glibc
import Relabel

/// `relabel-conformance read PATH`, `write JSON SHARD` and `equal A B`: the Swift library as the
/// runner of the conformance pack wants it (`spec/conformance/README.md`); `contract` prints the facts
/// of the format, which stand in `spec/contract.json`; `views JSON FOLDER` writes a dataset of views, for the tests.
@main
enum Main {
  static func main() {
    let arguments = CommandLine.arguments.dropFirst()
    do throws(RelabelError) {
      switch (arguments.first, Array(arguments.dropFirst())) {
      case ("read"?, let paths) where paths.count == 1:
        print(String(decoding: try content(ofPath: paths[0]).canonical(), as: UTF8.self))
      case ("write"?, let paths) where paths.count == 2:
        try writeShard(paths[1], content: try document(paths[0]))
      case ("equal"?, let paths) where paths.count == 2:
        exit(try meaning(ofPath: paths[0]) == meaning(ofPath: paths[1]) ? 0 : 1)
      case ("views"?, let paths) where paths.count == 2:
        try writeViews(paths[1], content: try document(paths[0]))
      case ("contract"?, []): print(try Contract.document().pretty())
      default:
        throw RelabelError(
          .usage,
          "usage: relabel-conformance read PATH | write JSON SHARD | equal A B | contract | views JSON FOLDER"
        )
      }
    } catch {
      let line = "\(error)\n"
      write(STDERR_FILENO, line, line.utf8.count)
      exit(exitCode(error))
    }
  }

  /// What the verifier would exit with for such a fault.
  private static func exitCode(_ error: RelabelError) -> Int32 {
    switch error.code {
    case .invalidInput, .notFound: 1
    case .notSupported: 69
    default: error.code.exitStatus.rawValue
    }
  }

  /// The content of a shard or dataset without how it is stored.
  private static func meaning(ofPath path: String) throws(RelabelError) -> [JSON?] {
    let content = try content(ofPath: path)
    return [content["header"], content["images"]]
  }

  private static func document(_ path: String) throws(RelabelError) -> JSON {
    guard let file = fopen(path, "r") else {
      throw RelabelError(.io, String(cString: strerror(errno)), at: Location(file: path))
    }
    defer { fclose(file) }
    var bytes: [UInt8] = []
    while case let byte = getc(file), byte != EOF { bytes.append(UInt8(byte)) }
    return try JSON(parsing: bytes)
  }
}

extension RelabelError.Code {
  /// The library has no way to write this.
  static let notSupported: RelabelError.Code = RelabelError.Code(rawValue: "not-supported")
}
