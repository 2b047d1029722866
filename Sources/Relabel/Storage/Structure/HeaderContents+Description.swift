extension HeaderContents {
  /// The attributes of the object.
  var object: ObjectContents {
    var object = ObjectContents()
    object.hasCompactAttributes = hasCompactAttributes
    object.attributeCount = min(attributes.count, Layout.maximumAttributes + 1)
    if attributes.count <= Layout.maximumAttributes {
      let ordered = attributes.sorted { $0.key.lexicographicallyPrecedes($1.key) }
      object.attributes = ordered.map(\.value)
    }
    return object
  }

  /// What the dataset is made of, or nil when the object is none.
  var description: DatasetDescription? {
    guard let dataspace, let layout, let elementType else { return nil }
    var description = DatasetDescription(
      type: elementType,
      shape: dataspace.extent,
      maximumShape: dataspace.maximumExtent,
      chunk: [],
      filters: filters?.filters ?? [],
      fillValue: elementType.size > 0 ? fill?.bytes.nonEmpty : nil
    )
    description.storage = storage(layout)
    description.writesFillValue = fill?.isWritten ?? true
    if case .chunked(let chunked) = layout {
      description.chunk = chunked.chunk.dropLast().map(Int.init(clamping:))
      description.filtersPartialChunks = chunked.filtersPartialChunks
    }
    return description
  }

  private func storage(_ layout: LayoutMessage) -> StorageKind {
    switch layout {
    case .chunked: .chunked
    case .compact: .compact
    case .virtual: .virtual
    case .contiguous: hasExternalFiles ? .external : .contiguous
    }
  }
}

extension [UInt8] {
  fileprivate var nonEmpty: [UInt8]? { isEmpty ? nil : self }
}
