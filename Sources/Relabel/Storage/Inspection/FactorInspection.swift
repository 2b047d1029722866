internal import RelabelFormat

/// Whether a shard of factors has what they need, and other shards nothing of it (spec, section 4.11).
struct FactorInspection {
  let root: RootAttributes
  let report: (Violation) -> Void

  /// Reports what is missing, superfluous, or said otherwise than factors allow.
  func inspect(_ found: [String: DatasetDescription]) {
    guard root.hasFactors else {
      for column in Layout.factors where found[column.name] != nil {
        fail(.l005, "only factors have it, but feature 'factors' is not required", column.name)
      }
      return
    }
    for column in Layout.factors where found[column.name] == nil {
      fail(
        .l005,
        "dataset '\(column.name)' is missing, but feature 'factors' is required",
        column.name
      )
    }
    if found[Layout.logNormalizer] != nil {
      fail(.l005, "factors have all classes, and no log_normalizer", Layout.logNormalizer)
    }
    if root.scoreKind != .logit || root.classesAre != .exclusive {
      say("factors add up to logits of classes that exclude each other, and of nothing else")
    }
    if root.cellOrder != .class {
      say(
        "attribute 'cell_order' is '\(root.cellOrder.rawValue)', but factors are numbered: 'class'"
      )
    }
    if root.hasViews { say("features 'factors' and 'views' do not go together") }
    if root.version == .current {
      say("feature 'factors' came with format 1.1, but 'format_version' is \(root.version)")
    }
  }

  /// What the writer says of how near factors are, which is not needed to read them: its measure, nil where it gives none.
  func quality(_ file: FileContents, rows: Int) -> Double? {
    guard root.hasFactors, let object = file.datasets[Layout.classFactor]?.object else {
      return nil
    }
    let place = Location(dataset: Layout.classFactor)
    let attributes = AttributeReader(object, rule: .l004, at: place, report: report)
    if attributes.has(Layout.targetError),
      let said = attributes.floats(Layout.targetError, .float64, count: TargetError.count),
      let fault = TargetError.fault(of: said, rows: rows)
    {
      fail(.v034, "attribute '\(Layout.targetError)': \(fault)", Layout.classFactor)
    }
    guard attributes.has(Layout.quality),
      let quality = attributes.floats(Layout.quality, .float64)?.first
    else { return nil }
    if quality > 0, quality.isFinite { return quality }
    attributes.fail("attribute '\(Layout.quality)' is \(quality), not a number above 0")
    return nil
  }

  private func say(_ message: String) { report(Violation(.l004, message)) }

  private func fail(_ rule: Rule, _ message: String, _ dataset: String) {
    report(Violation(rule, message, at: Location(dataset: dataset)))
  }
}
