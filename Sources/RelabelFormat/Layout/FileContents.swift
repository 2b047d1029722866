/// What an HDF5 file says of its root group and the datasets in it, whoever read it.
package struct FileContents: Hashable, Sendable {
  /// Links of the root group, those too that are not listed.
  package var linkCount: Int = 0
  /// The links of the root group in the order of their bytes; none where there are too many.
  package var links: [StoredLink] = []
  /// False when links lie in a heap.
  package var hasCompactLinks: Bool = true
  /// What the root group says.
  package var root: ObjectContents = ObjectContents()
  /// The datasets by name; none unless all links lead to datasets.
  package var datasets: [String: DatasetContents] = [:]

  package init() {}

  /// The most links and attributes that are worth to be read.
  package struct Limits: Sendable {
    package let links: Int
    package let attributes: Int

    package init(links: Int, attributes: Int) {
      self.links = links
      self.attributes = attributes
    }
  }
}

/// A link of the root group.
package struct StoredLink: Hashable, Sendable {
  /// What a link leads to.
  package enum Kind: Hashable, Sendable {
    case dataset, group, namedType, soft, external, other
  }

  package let name: String
  package let kind: Kind
  /// Where a hard link's object lies: two names of one object have the same.
  package let address: UInt64

  package init(name: String, kind: Kind, address: UInt64) {
    self.name = name
    self.kind = kind
    self.address = address
  }
}

/// The attributes of one object.
package struct ObjectContents: Hashable, Sendable {
  /// Attributes of the object; one more than the limit stands for any number over it.
  package var attributeCount: Int = 0
  /// The attributes in the order of the bytes of their names; none where there are too many.
  package var attributes: [Attribute] = []
  /// False when attributes lie in a heap.
  package var hasCompactAttributes: Bool = true

  package init() {}

  /// The attribute of a name, or nil.
  package subscript(name: String) -> Attribute? { attributes.first { $0.name == name } }
}

/// A dataset and its attributes.
package struct DatasetContents: Hashable, Sendable {
  package var description: DatasetDescription
  package var object: ObjectContents

  package init(description: DatasetDescription, object: ObjectContents) {
    self.description = description
    self.object = object
  }
}
