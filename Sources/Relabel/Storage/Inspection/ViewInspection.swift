/// Compares the datasets of views with the feature that they need (spec, section 4.10).
struct ViewInspection {
  let root: RootAttributes
  let report: (Violation) -> Void

  /// What the shard says of its views, empty where rows are images; nil when it can't be read as one that has them.
  func inspect(_ file: FileContents, _ found: [String: DatasetDescription]) -> ViewFacts? {
    guard root.hasViews else {
      for column in Layout.views where found[column.name] != nil {
        fail(.l005, "only views have it, but feature 'views' is not required", column.name)
      }
      return ViewFacts()
    }
    guard found[Layout.view] != nil else {
      fail(.l005, "dataset 'view' is missing, but feature 'views' is required", Layout.view)
      return nil
    }
    if found[Layout.cutmixBox] != nil, root.viewSize == nil {
      fail(
        .l004,
        "boxes are in pixels of the view, but attribute 'view_size' is missing",
        Layout.cutmixBox
      )
    }
    return ViewFacts(
      size: root.viewSize,
      boxType: boxType(file, found),
      operationsBytes: found[Layout.operations]?.type.size ?? 0
    )
  }

  private func boxType(
    _ file: FileContents,
    _ found: [String: DatasetDescription]
  ) -> ViewFacts.BoxType? {
    guard found[Layout.viewBox] != nil else { return nil }
    let object = file.datasets[Layout.viewBox]?.object ?? ObjectContents()
    let place = Location(dataset: Layout.viewBox)
    let attributes = AttributeReader(object, rule: .l004, at: place, report: report)
    let type = attributes.word(Layout.sourceType, ViewFacts.BoxType.self)
    if type == .pixels, found[Layout.imageSize] == nil {
      fail(
        .l005,
        "boxes were whole pixels of the picture, but dataset 'image_size' is missing",
        Layout.viewBox
      )
    }
    return type
  }

  private func fail(_ rule: Rule, _ message: String, _ dataset: String) {
    report(Violation(rule, message, at: Location(dataset: dataset)))
  }
}
