internal import Relabel
internal import RelabelVerification

extension ReportedMatter {
  /// What to look at first, gravest first.
  static func all(in pass: ReportFacts) -> [ReportedMatter] {
    if pass.measures.images == 0 { return [verdict(pass), empty, marks(pass)].compactMap(\.self) }
    let found =
      [
        verdict(pass), classList(pass), strangers(pass), constant(pass), repeated(pass),
        transposed(pass), dominating(pass), neverSeen(pass), disagreement(pass), marks(pass),
        unlabelled(pass),
      ].compactMap(\.self)
    let order: [Gravity] = [.bad, .warning, .note]
    return order.flatMap { gravity in found.filter { $0.gravity == gravity } }
  }

  private static var empty: ReportedMatter {
    ReportedMatter(
      "no-images",
      .bad,
      "There is no image",
      "Nothing can be learnt from this dataset, and nothing could be looked at.",
      in: "about"
    )
  }

  private static func verdict(_ pass: ReportFacts) -> ReportedMatter? {
    let errors = pass.report.findings.count { $0.severity == .error }
    guard errors > 0 else { return nil }
    return ReportedMatter(
      "findings",
      .bad,
      "The verifier reports \(errors == 1 ? "an error" : "\(errors) errors")",
      "Files that break the format are not what a reader takes them for.",
      in: "verdict"
    )
  }

  private static func classList(_ pass: ReportFacts) -> ReportedMatter? {
    let labels = pass.measures.labels
    if let shift = pass.classList.shift {
      return ReportedMatter(
        "class-list-shifted",
        .bad,
        "The list of classes is shifted by \(shift)",
        "The best class of most images has the id of the source's class plus \(shift). Ids of the annotator and of the "
          + "class list begin at different places, or one list has a class more.",
        count: (pass.classList.shifted, of: labels.images),
        in: "agreement"
      )
    }
    let agreement = Double(labels.agreeing) / Double(max(labels.images, 1))
    guard let consistency = pass.classList.consistency, agreement < 0.25, consistency > 0.6 else {
      return nil
    }
    return ReportedMatter(
      "class-list-reordered",
      .bad,
      "The list of classes has another order",
      "Maps rarely agree with the source, but images of one class mostly get one and the same other class: the annotator "
        + "and the class list number classes differently.",
      count: (labels.images - labels.agreeing, of: labels.images),
      in: "agreement"
    )
  }

  private static func strangers(_ pass: ReportFacts) -> ReportedMatter? {
    let labels = pass.measures.labels
    guard labels.foreign > 0, pass.classList.shift == nil else { return nil }
    let share = Double(labels.foreign) / Double(labels.images)
    // A crop often shows nothing of what the whole picture is called after.
    let usual = pass.header.shape.cells == 1 ? 0.4 : 0.2
    let isMany = share > usual && labels.images >= 20
    return ReportedMatter(
      "foreign-maps",
      isMany ? .bad : share > usual / 2 ? .warning : .note,
      isMany
        ? "\(percent(share)) of the maps know nothing of their image's class"
        : "Some maps know nothing of their image's class",
      "The source's class leads no cell, and has less than a twentieth of the best class's probability. "
        + (isMany
          ? "Where this is so for many images, maps belong to other pictures, or source labels do."
          : "The label may be wrong, or the map of another picture."),
      count: (labels.foreign, of: labels.images),
      in: "suspicious"
    )
  }

  private static func constant(_ pass: ReportFacts) -> ReportedMatter? {
    let measures = pass.measures
    guard measures.constant > 0 else { return nil }
    return ReportedMatter(
      "constant-maps",
      measures.constant * 100 > measures.images ? .bad : .warning,
      "Maps that look the same everywhere",
      "All cells of these maps hold the same entries, as no picture gives them.",
      count: (measures.constant, of: measures.images),
      in: "suspicious"
    )
  }

  private static func repeated(_ pass: ReportFacts) -> ReportedMatter? {
    guard pass.repeats.images > 0 else { return nil }
    return ReportedMatter(
      "repeated-maps",
      pass.repeats.images * 100 > pass.measures.images ? .bad : .warning,
      "Images that share one map",
      "\(pass.repeats.maps) maps stand for \(pass.repeats.images) images. Copies of a picture have equal maps; so does an "
        + "annotator that writes one batch twice.",
      count: (pass.repeats.images, of: pass.measures.images),
      in: "repeats"
    )
  }

  private static func transposed(_ pass: ReportFacts) -> ReportedMatter? {
    switch (pass.grid, pass.header.orientation) {
    case (.transposed, .unknown):
      ReportedMatter(
        "orientation",
        .warning,
        "Rows of the grid seem to run across the pictures",
        "The orientation is not documented, and the mean entropy changes from left to right instead of from top to bottom: "
          + "the maps look like orientation xy.",
        in: "grid"
      )
    case (.transposed, _):
      ReportedMatter(
        "grid-transposed",
        .bad,
        "Rows and columns of the grid seem to be exchanged",
        "The mean entropy changes from left to right and not from top to bottom, but photographs have a sky and a ground. "
          + "Check it with boxes: relabel verify --boxes.",
        in: "grid"
      )
    case (.unknown, _) where pass.header.shape.height > 1 && pass.header.shape.width > 1:
      ReportedMatter(
        "grid-unknown",
        .note,
        "The maps don't show which way they lie",
        "Their mean entropy changes too little from top to bottom, or from left to right as well, so exchanged rows and "
          + "columns could not be seen here. relabel verify --boxes can tell.",
        in: "grid"
      )
    default: nil
    }
  }

  private static func dominating(_ pass: ReportFacts) -> ReportedMatter? {
    let measures = pass.measures
    guard measures.images >= 50, measures.classes.count >= 10,
      let (id, most) = measures.classes.enumerated().max(by: { $0.element.best < $1.element.best }),
      most.best * 2 > measures.images
    else { return nil }
    return ReportedMatter(
      "dominating-class",
      .warning,
      "One class is best in most images",
      "It is \(pass.name(of: id)).",
      count: (most.best, of: measures.images),
      in: "classes"
    )
  }

  private static func neverSeen(_ pass: ReportFacts) -> ReportedMatter? {
    let classes = pass.measures.classes.count
    let missing = classes - pass.cells.classesSeen
    guard classes > 0, missing > 0 else { return nil }
    let isOften = pass.measures.images / 10 >= classes
    return ReportedMatter(
      "classes-never-seen",
      isOften ? .warning : .note,
      missing == 1 ? "A class is in no map" : "\(missing) of \(classes) classes are in no map",
      isOften
        ? "There are more than ten images for each class, so each should be somewhere."
        : "There are few images for so many classes.",
      in: "classes"
    )
  }

  private static func disagreement(_ pass: ReportFacts) -> ReportedMatter? {
    let labels = pass.measures.labels
    guard labels.images > 0, labels.agreeing < labels.images, pass.classList.shift == nil else {
      return nil
    }
    let isMost = (labels.images - labels.agreeing) * 5 > labels.images * 2
    return ReportedMatter(
      "disagreement",
      isMost ? .warning : .note,
      "Images whose best class is not that of the source",
      "They are wrong labels, pictures of several things, or mistakes of the annotator. The most suspicious are shown.",
      count: (labels.images - labels.agreeing, of: labels.images),
      in: "suspicious"
    )
  }

  private static func marks(_ pass: ReportFacts) -> ReportedMatter? {
    guard let marks = pass.marks, marks.wrongLabel + marks.exclude > 0 else { return nil }
    return ReportedMatter(
      "marks",
      .note,
      "People have marked images",
      "\(marks.wrongLabel) wrong labels, \(marks.exclude) to exclude, \(marks.good) good.",
      count: (marks.wrongLabel + marks.exclude, of: pass.measures.images),
      in: "marks"
    )
  }

  private static func unlabelled(_ pass: ReportFacts) -> ReportedMatter? {
    guard pass.measures.labels.images == 0 else { return nil }
    return ReportedMatter(
      "no-source-labels",
      .note,
      "Nothing to compare the maps with",
      "The dataset has no source_label, and no folder of its keys is the id of a class. A shifted class list, and maps of "
        + "other pictures, could not be seen here.",
      in: "agreement"
    )
  }
}
