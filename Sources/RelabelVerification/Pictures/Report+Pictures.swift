internal import Relabel

extension Report {
  /// Adds figures of one of the verified paths.
  mutating func measure(_ name: String, _ figures: [String: JSON]) {
    measurements[name] = .array((measurements[name]?.array ?? []) + [.object(figures)])
  }

  /// What the checks with pictures measured, one line for each path and check.
  package var pictureLines: [String] {
    func lines(_ name: String, _ text: (JSON) -> String) -> [String] {
      (measurements[name]?.array ?? []).map { "\($0["path"]?.string ?? ""): \(text($0))" }
    }
    return lines("pictures") {
      "\($0.count("pictures")) pictures for \($0.count("images")) images; "
        + "\($0.count("passed_over")) other files ignored"
    }
      + lines("orientation", \.orientationLine)
      + lines("recomputation", \.recomputationLine)
      + lines("targets") { TargetError(figures: $0["measured"]).words + ", against all scores" }
  }
}

extension JSON {
  fileprivate func count(_ name: String) -> Int64 { self[name]?.integer ?? 0 }

  fileprivate var orientationLine: String {
    let confidence = (self["confidence"]?.number ?? 0) * 10_000
    return "\(count("informative")) of \(count("boxes")) boxes tell how maps lie: "
      + "\(count("yx_wins")) images say yx, \(count("xy_wins")) say xy, "
      + "\(count("ties")) say neither, confidence \(confidence.rounded(.down) / 100) %; "
      + "verdict \(self["verdict"]?.string ?? ""), declared \(self["declared"]?.string ?? "")"
  }

  fileprivate var recomputationLine: String {
    let share = (self["differing_ids"]?.number ?? 0) * 10_000
    let difference = self["mean_difference"]?.number.map { "\(($0 * 100_000).rounded() / 100_000)" }
    return
      "\(count("compared")) recomputed maps: scores differ by \(difference ?? "an unknown amount") "
      + "on average, \(share.rounded() / 100) % of the classes"
  }
}
