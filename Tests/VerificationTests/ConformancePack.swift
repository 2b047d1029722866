import Glibc
import RelabelPacking
import Relabel
import Testing
import RelabelVerification

/// The shards and datasets of `spec/conformance/shards`, and what an implementation must say of each.
enum ConformancePack {
  /// One file or dataset of the pack.
  struct Case: CustomTestStringConvertible {
    let name: String
    let path: String
    /// What the verifier is given beside the path, by the name of the option.
    let options: [String: String]
    /// `reads`, `refuses`, or `either` where the spec leaves it to readers.
    let reader: String
    let exitCode: Int64
    let verdict: String
    let errors: [String]
    let notices: [String]

    var testDescription: String { name }

    /// The pictures, boxes and annotator that the options ask for.
    func pictureChecks() throws -> PictureChecks? {
      if options.isEmpty { return nil }
      var checks = PictureChecks()
      if let folder = options["--images"] { checks.folders = [ConformancePack.file(folder)] }
      if let boxes = options["--boxes"] {
        let path = ConformancePack.file(boxes)
        checks.boxes = try BoxTable(parsing: Folder.contents(path, limit: 1 << 20), file: path)
      }
      if let images = options["--recompute"].flatMap(Int.init),
        let annotator = options["--annotator"]
      {
        // The command of the pack names files from the pack's folder.
        let command = AnnotatorCommand("cd '\(ConformancePack.folder)' && \(annotator)")
        checks.recomputation = Recomputation(images: images, annotator: command)
      }
      return checks
    }
  }

  /// The folder of the pack.
  static let folder: String = {
    let parts = #filePath.split(separator: "/").dropLast(3)
    return "/" + parts.joined(separator: "/") + "/spec/conformance/shards"
  }()

  /// The path of a file that the pack names.
  static func file(_ name: String) -> String { "\(folder)/\(name)" }

  /// All cases; empty, which a test notices, when `cases.json` can't be read.
  static let cases: [Case] = {
    do {
      let bytes = try Folder.contents(file("cases.json"), limit: 1 << 20)
      return try JSON(parsing: bytes)["cases"]?.array?.map(Case.init) ?? []
    } catch {
      Issue.record(error)
      return []
    }
  }()
}

extension ConformancePack.Case {
  fileprivate init(_ json: JSON) {
    let verify = json["verify"]
    let words = json["options"]?.array?.compactMap(\.string) ?? []
    self.init(
      name: json["name"]?.string ?? "",
      path: json["path"]?.string ?? "",
      options: Dictionary(
        uniqueKeysWithValues: stride(from: 0, to: words.count - 1, by: 2).map {
          (words[$0], words[$0 + 1])
        }
      ),
      reader: json["reader"]?.string ?? "",
      exitCode: verify?["exit_code"]?.integer ?? -1,
      verdict: verify?["verdict"]?.string ?? "",
      errors: verify?["errors"]?.array?.compactMap(\.string) ?? [],
      notices: verify?["notices"]?.array?.compactMap(\.string) ?? []
    )
  }
}
