/// Reads the metadata document from its pieces (spec, section 10).
struct MetadataInspection {
  let root: AttributeReader
  let numClasses: Int
  let temperature: Double
  let mapExtent: CropBox

  /// True for the attributes that make up the document.
  static func owns(_ name: String) -> Bool {
    name == "metadata_sha256" || isPiece(name)
  }

  private static func isPiece(_ name: String) -> Bool {
    guard name.hasPrefix("metadata_") else { return false }
    let digits = name.dropFirst("metadata_".count)
    return digits.count >= 4 && digits.allSatisfy { ("0"..."9").contains($0) }
  }

  /// The document, or nil when it can't be understood.
  func inspect() -> MetadataDocument? {
    guard let document = joinedPieces(), let digest = root.string("metadata_sha256") else {
      return nil
    }
    // Before the text is parsed: a damaged one need not be JSON any more.
    if digest != Digest.of(document) {
      root.fail(.l014, "attribute 'metadata_sha256' is not the digest of the metadata document")
    }
    let metadata: MetadataDocument
    do {
      metadata = try MetadataDocument(parsing: document)
    } catch {
      root.fail(.l013, error.message)
      return nil
    }
    if let fault = fault(of: metadata) {
      root.fail(.l013, fault)
      return nil
    }
    return metadata
  }

  private func joinedPieces() -> [UInt8]? {
    let count = root.names.count(where: Self.isPiece)
    guard count > 0 else {
      root.fail(.l013, "attribute 'metadata_0000' is missing")
      return nil
    }
    var document: [UInt8] = []
    for piece in 0..<count {
      let name = MetadataDocument.pieceName(piece)
      // A cut may fall inside a character, so a piece alone need not be UTF-8.
      guard let piece = root[name], piece.shape.isEmpty, let bytes = piece.stringBytes else {
        root.fail(.l013, "attribute '\(name)' is missing or no string")
        return nil
      }
      document += bytes
      if document.count > MetadataDocument.maximumBytes {
        root.fail(
          .c006,
          "the metadata document has more than \(MetadataDocument.maximumBytes) bytes"
        )
        return nil
      }
    }
    return document
  }

  private func fault(of metadata: MetadataDocument) -> String? {
    if let looseness = metadata.looseness {
      return "the metadata document is not canonical: \(looseness)"
    }
    if let classes = metadata.classes, classes.entries.count != numClasses {
      return "the class table has \(classes.entries.count) of \(numClasses) classes"
    }
    let annotator = metadata.json["annotator"]
    if let value = annotator?["temperature"], value.number != temperature {
      return "the annotator's temperature differs from attribute 'temperature'"
    }
    if let value = annotator?["map_extent"],
      value.array?.compactMap(\.number).map({ Double(Float($0)) }) != mapExtent.components
    {
      return "the annotator's map_extent differs from attribute 'map_extent'"
    }
    return nil
  }
}
