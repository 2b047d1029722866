/// Looks at links, storage, types and sizes before anything else is read (spec, "HDF5 profile").
///
/// Nothing is opened by name before its link is known to be a hard link to a dataset.
struct ContainerInspection {
  let fileBytes: Int64
  let report: (Violation) -> Void

  /// The fewest bytes a stored chunk can have: an empty zlib stream and a checksum.
  private static let smallestChunk: Int64 = 12
  /// No deflate stream holds more bytes for each of its own (1,032, and some to spare).
  private static let largestRatio: Int64 = 1_100

  /// The file's datasets by name, or nil when it must not be read further.
  func inspect(_ file: FileContents) -> [String: DatasetDescription]? {
    var isSafe = true
    var descriptions: [String: DatasetDescription] = [:]
    guard file.linkCount <= Layout.maximumDatasets else {
      let limit = Layout.maximumDatasets
      report(Violation(.c006, "the root group has more than \(limit) links"))
      return nil
    }
    let links = file.links
    var names: [UInt64: String] = [:]
    for link in links where link.kind == .dataset {
      guard let other = names.updateValue(link.name, forKey: link.address) else { continue }
      isSafe = false
      let message = "'\(other)' and '\(link.name)' are one dataset under two names"
      report(Violation(.c002, message, at: Location(dataset: link.name)))
    }
    for link in links where link.kind != .dataset {
      isSafe = false
      report(
        Violation(
          .c002,
          "'\(link.name)' is a \(link.kind.words); only datasets may stand in a shard",
          at: Location(dataset: link.name)
        )
      )
    }
    guard isSafe else { return nil }
    if !file.hasCompactLinks {
      report(Violation(.c005, "the links of the root group are in dense storage"))
    }
    isSafe = inspectAttributes(of: file.root, dataset: nil) && isSafe
    for link in links {
      guard let dataset = file.datasets[link.name] else { continue }
      let description = dataset.description
      if let violation = fatal(description, link.name) {
        isSafe = false
        report(violation)
        continue
      }
      isSafe = inspectAttributes(of: dataset.object, dataset: link.name) && isSafe
      descriptions[link.name] = description
    }
    return isSafe ? descriptions : nil
  }

  private func fatal(_ description: DatasetDescription, _ name: String) -> Violation? {
    let place = Location(dataset: name)
    guard description.storage == .chunked else {
      return Violation(.c003, "storage is \(description.storage), not chunked", at: place)
    }
    guard description.filtersPartialChunks else {
      return Violation(.c003, "chunks at the end of an axis skip the filters", at: place)
    }
    if case .other(let what) = description.type {
      return Violation(.c010, "the elements are of type \(what)", at: place)
    }
    let chunkBytes = description.chunk.reduce((description.type.size, false)) { product, side in
      let (value, overflow) = product.0.multipliedReportingOverflow(by: side)
      return (value, product.1 || overflow)
    }
    guard !chunkBytes.1, chunkBytes.0 > 0, chunkBytes.0 <= Layout.maximumChunkBytes else {
      return Violation(
        .c006,
        "a chunk of \(description.chunk) elements is over the limit of 16 MiB",
        at: place
      )
    }
    for (side, extent) in description.shape.enumerated().dropFirst()
    where extent > Layout.maximumTopK {
      return Violation(.c006, "axis \(side) has \(extent) elements, over any limit", at: place)
    }
    let rows = description.shape.first ?? 0
    let chunks = Int64(rows / max(description.chunk.first ?? 1, 1))
    let decoded = chunks.multipliedReportingOverflow(by: Int64(chunkBytes.0))
    guard chunks <= fileBytes / Self.smallestChunk, !decoded.overflow,
      decoded.partialValue / Self.largestRatio <= fileBytes
    else {
      return Violation(
        .c006,
        "\(rows) rows are declared, more than a file of \(fileBytes) bytes can hold",
        at: place
      )
    }
    return nil
  }

  /// False when there are too many attributes to read.
  private func inspectAttributes(of object: ObjectContents, dataset: String?) -> Bool {
    let place = Location(dataset: dataset)
    if !object.hasCompactAttributes {
      report(Violation(.c005, "attributes are in dense storage", at: place))
    }
    guard object.attributeCount <= Layout.maximumAttributes else {
      let limit = Layout.maximumAttributes
      report(Violation(.c006, "there are more than \(limit) attributes", at: place))
      return false
    }
    for attribute in object.attributes {
      if let fault = fault(of: attribute) {
        report(Violation(.c005, "attribute '\(attribute.name)' \(fault)", at: place))
      }
    }
    return true
  }
}

extension ContainerInspection {
  /// Why an attribute may not stand in a shard (spec, section 3.4), or nil.
  private func fault(of attribute: Attribute) -> String? {
    if case .other(let what) = attribute.type { return "is of type \(what)" }
    guard attribute.shape.count <= 1 else { return "has \(attribute.shape.count) axes" }
    guard let count = attribute.count, count > 0 else { return "has no elements" }
    let bytes = count.multipliedReportingOverflow(by: attribute.type.size)
    guard !bytes.overflow, bytes.partialValue <= MetadataDocument.pieceBytes else {
      return "has more than \(MetadataDocument.pieceBytes) bytes"
    }
    return nil
  }
}

extension StoredLink.Kind {
  fileprivate var words: String {
    switch self {
    case .dataset: "dataset"
    case .group: "group"
    case .namedType: "committed type"
    case .soft: "soft link"
    case .external: "link to another file"
    case .other: "link of an unknown kind"
    }
  }
}
