import Relabel
internal import RelabelServer

/// Which images a page lists, and in which order.
struct Selection: Hashable, Sendable {
  /// What images are sorted by.
  enum Order: String, CaseIterable, Sendable {
    /// As the source lists them.
    case source
    /// Those first that a person should look at.
    case suspicion
    /// Those first whose target is the most mixed.
    case uncertainty
  }

  /// Which class of an image has to be the one that is asked for.
  enum ClassRole: String, Sendable {
    case label, best, either
  }

  /// Which images by their marks.
  enum Marked: Hashable, Sendable {
    case verdict(ReviewMarks.Verdict)
    /// Any mark or note, or none.
    case any, none
  }

  var order: Order = .source
  /// A part of keys, or `^` and what they begin with; empty for all.
  var key: String = ""
  /// A class; nil for all.
  var classIndex: UInt32?
  var role: ClassRole = .either
  var marked: Marked?

  /// Reads a request.
  ///
  /// - Throws: `.usage` for words that nobody knows.
  init(_ request: Request) throws(RelabelError) {
    func word<Word>(_ name: String, _ word: (String) -> Word?) throws(RelabelError) -> Word? {
      guard let text = request.fields[name], !text.isEmpty else { return nil }
      guard let known = word(text) else {
        throw RelabelError(.usage, "'\(name)' can't be '\(text)'")
      }
      return known
    }
    order = try word("order") { Order(rawValue: $0) } ?? .source
    key = request.fields["key"] ?? ""
    classIndex = try word("class") { UInt32($0) }
    role = try word("role") { ClassRole(rawValue: $0) } ?? .either
    marked = try word("marked") { text in
      switch text {
      case "any": .any
      case "none": Marked.none
      default: ReviewMarks.Verdict(rawValue: text).map(Marked.verdict)
      }
    }
  }

  /// True where all images are listed in the order of the source, for which nothing has to be known of them.
  var isPlain: Bool { isWhole && order == .source }

  /// True where all images are listed.
  var isWhole: Bool { key.isEmpty && classIndex == nil && marked == nil }

  /// The positions that are listed, in their order.
  ///
  /// - Throws: `.usage` for what needs measures that are not there yet.
  /// - Complexity: O(n log n) for the first selection in an order.
  func positions(
    _ register: ImageRegister,
    _ survey: ImageSurvey.Findings?,
    _ marks: ReviewMarks,
    sorted: (Order) throws(RelabelError) -> [Int32]
  ) throws(RelabelError) -> [Int32] {
    let order = try sorted(order)
    if isWhole { return order }
    var isIn = [Bool](repeating: true, count: register.count)
    if !key.isEmpty {
      isIn = [Bool](repeating: false, count: register.count)
      register.find(key, &isIn)
    }
    if let classIndex { try keep(classIndex, register, survey, &isIn) }
    if let marked {
      for position in isIn.indices where isIn[position] {
        isIn[position] = Self.has(marks[register.key(at: position)], marked)
      }
    }
    return order.filter { isIn[Int($0)] }
  }

  private func keep(
    _ wanted: UInt32,
    _ register: ImageRegister,
    _ survey: ImageSurvey.Findings?,
    _ isIn: inout [Bool]
  ) throws(RelabelError) {
    let labels = role == .best ? [] : register.labels
    let best = role == .label ? [] : survey?.best ?? []
    if labels.isEmpty, best.isEmpty {
      throw RelabelError(.usage, "best classes are not known before all images are measured")
    }
    for position in isIn.indices where isIn[position] {
      let isLabel = !labels.isEmpty && labels[position] == Int32(truncatingIfNeeded: wanted)
      isIn[position] = isLabel || (!best.isEmpty && best[position] == wanted)
    }
  }

  private static func has(_ mark: ReviewMarks.Mark?, _ wanted: Marked) -> Bool {
    switch wanted {
    case .any: mark != nil
    case .none: mark == nil
    case .verdict(let verdict): mark?.verdict == verdict
    }
  }
}
