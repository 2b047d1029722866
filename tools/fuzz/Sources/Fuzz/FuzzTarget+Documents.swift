@testable import Relabel

extension FuzzTarget {
  /// A JSON document: what is read can be written, in canonical form, and then stays as it is.
  static let json = FuzzTarget { bytes in
    guard let value = try? JSON(parsing: bytes) else { return }
    _ = CanonicalJSON.fault(bytes, value)
    guard let text = try? value.canonical() else { return }
    guard let read = try? JSON(parsing: text), let again = try? read.canonical() else {
      fatalError("canonical JSON can't be read")
    }
    if let fault = CanonicalJSON.fault(text, read) { fatalError("canonical JSON: \(fault)") }
    // Not `text`: a number beyond 2⁵³ may come back as a whole one.
    precondition((try? JSON(parsing: again)) == read, "canonical JSON changes when it is read")
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
