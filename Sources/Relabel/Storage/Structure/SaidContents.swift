/// Gathers what object headers say while a walk meets them.
struct SaidContents {
  private var root: HeaderContents?
  private var kinds: [UInt64: StoredLink.Kind] = [:]
  private var datasets: [UInt64: DatasetContents] = [:]
  private var attributeBytes = 0

  /// Bytes of the attributes of all objects: headers that share their continuations could repeat them.
  private static let maximumAttributeBytes = 256 << 20

  /// Notes what the header at an address says; only as many datasets are kept as a shard can have.
  mutating func note(
    _ said: HeaderContents,
    _ kind: HeaderContents.Kind,
    at address: UInt64,
    isRoot: Bool
  ) throws(Halt) {
    attributeBytes += said.attributeBytes
    guard attributeBytes <= Self.maximumAttributeBytes else {
      let limit = Self.maximumAttributeBytes
      throw .broken(Violation(.c006, "all attributes have more than \(limit) bytes together"))
    }
    if isRoot { root = said }
    switch kind {
    case .group: kinds[address] = .group
    case .type: kinds[address] = .namedType
    case .dataset:
      kinds[address] = .dataset
      guard datasets.count < Layout.maximumDatasets, let description = said.description else {
        return
      }
      datasets[address] = DatasetContents(description: description, object: said.object)
    }
  }

  /// True when the HDF5 library would tell nothing more than `contents`.
  static func isComplete(_ contents: FileContents) -> Bool {
    guard contents.hasCompactLinks, contents.linkCount <= Layout.maximumDatasets,
      contents.datasets.count == contents.linkCount
    else { return false }
    return ([contents.root] + contents.datasets.values.map(\.object)).allSatisfy {
      $0.hasCompactAttributes && $0.attributeCount <= Layout.maximumAttributes
    }
  }

  /// What the file says, as far as it stands in object headers; nil without a root group.
  var contents: FileContents? {
    guard let root else { return nil }
    var contents = FileContents()
    contents.linkCount = root.links.count
    guard contents.linkCount <= Layout.maximumDatasets else { return contents }
    contents.links = root.links
      .map { link in
        let kind = link.address.map { kinds[$0] ?? .other } ?? link.kind ?? .other
        return StoredLink(name: link.name, kind: kind, address: link.address ?? 0)
      }
      .sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
    guard contents.links.allSatisfy({ $0.kind == .dataset }) else { return contents }
    contents.hasCompactLinks = root.hasCompactLinks
    contents.root = root.object
    for link in contents.links where contents.datasets[link.name] == nil {
      contents.datasets[link.name] = datasets[link.address]
    }
    return contents
  }
}
