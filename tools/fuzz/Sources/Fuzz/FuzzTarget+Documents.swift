@testable import RelabelFormat
@testable import Relabel

extension FuzzTarget {
  /// A JSON document: what is read can be written in canonical form, and then stays as it is.
  static let json = FuzzTarget { bytes in
    guard let (value, looseness) = try? JSONParser.read(bytes) else { return }
    precondition(value.depth <= JSONParser.maximumDepth)
    guard let text = try? value.canonical(), let (again, fault) = try? JSONParser.read(text) else {
      fatalError("what was read can't be written")
    }
    if let fault { fatalError("canonical JSON has \(fault)") }
    // Not the value itself: a number beyond 2⁵³ may come back as a whole one.
    let texts = (try? again.canonical()).map { [$0, text] } ?? []
    let values = texts.compactMap { try? JSONParser.read($0).value }
    precondition(values == [again, again], "canonical JSON changes when it is read")
    if looseness == nil, !holdsFreeNumber(bytes) {
      precondition(text == bytes, "a text that is not canonical was taken for it")
    }
  }

  /// True when a number may be spelled in several ways: it has a fraction or an exponent.
  private static func holdsFreeNumber(_ text: [UInt8]) -> Bool {
    zip(text, text.dropFirst()).contains { (0x30...0x39).contains($0) && ".eE".utf8.contains($1) }
      || (try? JSONParser.read(text).value.holdsFraction) != false
  }

  /// `index.json`, with and without the digest that belongs to it.
  static let index = FuzzTarget { bytes in
    _ = try? DatasetIndex(checking: bytes)
    let sealed =
      bytes.dropLast() + Array(",\"sha256\":\"\(Digest.of(bytes))\"}\n".utf8)
    guard let index = try? DatasetIndex(checking: Array(sealed)) else { return }
    guard let text = try? index.encoded(), let again = try? DatasetIndex(checking: text) else {
      fatalError("an index that was read can't be written")
    }
    precondition(again == index, "an index changes when it is written")
  }

  /// The metadata document of a shard.
  static let metadata = FuzzTarget { bytes in
    guard let document = try? MetadataDocument(parsing: bytes) else { return }
    _ = (document.annotatorName, document.hasAnnotator, document.classesDigest)
  }
}
