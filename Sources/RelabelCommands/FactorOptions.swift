internal import ArgumentParser
internal import Relabel
internal import RelabelPacking

/// The options of `pack` for what is kept of dense logits.
struct FactorOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "What is kept of dense logits: the best classes of each cell, or factors that keep all classes. (default: topk)",
      discussion: """
        topk; factors; factors:1300B for so many bytes of the dataset an image; or factors:0.02KL for so much mean \
        divergence of targets of random crops, in nats. A budget settles --quality by a sample of the images.
        """,
      valueName: "form"
    )
  )
  var maps: MapForm?

  @Option(
    help: "How near factors are: lower numbers are nearer and take more bytes. (default: 0.0003)"
  )
  var quality: Double?

  /// What is kept of maps.
  enum MapForm: ExpressibleByArgument {
    case topk
    case factors(FactorBudget?)

    static let allValueStrings: [String] = ["topk", "factors"]

    init?(argument: String) {
      let words = argument.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
      switch (words[0], words.count) {
      case ("topk", 1): self = .topk
      case ("factors", 1): self = .factors(nil)
      case ("factors", 2):
        guard let budget = FactorBudget(String(words[1])) else { return nil }
        self = .factors(budget)
      default: return nil
      }
    }
  }

  /// How factors are made, or nil where the best classes are kept.
  ///
  /// - Throws: `.usage` for a budget beside a quality.
  func settings() throws(RelabelError) -> FactorSettings? {
    guard case .factors(let budget)? = maps else { return nil }
    guard budget == nil || quality == nil else {
      throw RelabelError(.usage, "--maps factors:BUDGET settles the quality: leave --quality out")
    }
    var settings = FactorSettings()
    if let quality { settings.quality = quality }
    settings.budget = budget
    return settings
  }
}
