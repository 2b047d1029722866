internal import Relabel

/// Which class of one dataset is which of another.
///
/// Classes of B have the numbers of A here, and those that A has not have numbers behind all of A.
struct ClassMatch: Sendable {
  /// How classes were matched, for people.
  let manner: String
  /// Classes of A, of B, and those that both have.
  let countA: Int
  let countB: Int
  let common: Int
  /// The number of each class of B; nil where both have the same numbers.
  let numbers: [UInt32]?
  /// Whether B has a class of A; nil where it has all.
  private let isInB: [Bool]?

  /// Matches classes by identifier where both datasets list them, else by number.
  ///
  /// - Throws: `.usage` where that can't be done.
  init(_ a: ShardHeader, _ b: ShardHeader) throws(RelabelError) {
    (countA, countB) = (a.numClasses, b.numClasses)
    let (listA, listB) = (
      a.metadata.classes?.entries.map(\.id), b.metadata.classes?.entries.map(\.id)
    )
    guard countA != countB || (listA != nil && listB != nil && listA != listB) else {
      manner =
        listA == nil && listB == nil
        ? "by number: neither dataset lists its classes"
        : listA == nil || listB == nil
          ? "by number: only one dataset lists its classes"
          : "by number: both list the same identifiers"
      (common, numbers, isInB) = (countA, nil, nil)
      return
    }
    guard let listA, let listB else {
      throw RelabelError(
        .usage,
        "A has \(countA) classes and B has \(countB), and not both list them by identifier: nobody knows which class is which"
      )
    }
    let (idsA, idsB) = (Self.identifiers(listA, countA), Self.identifiers(listB, countB))
    guard Set(idsA).count == countA, Set(idsB).count == countB else {
      throw RelabelError(
        .usage,
        "the class lists differ, and an identifier stands twice in one of them: nobody knows which class is which"
      )
    }
    let places = Dictionary(uniqueKeysWithValues: zip(idsA, 0...))
    var isInB = [Bool](repeating: false, count: countA)
    var numbers: [UInt32] = []
    for (number, id) in idsB.enumerated() {
      if let place = places[id] { isInB[place] = true }
      numbers.append(UInt32(places[id] ?? countA + number))
    }
    common = isInB.count(where: \.self)
    guard common > 0 else {
      throw RelabelError(
        .usage,
        "the class lists have no identifier in common ('\(idsA[0])' … and '\(idsB[0])' …): these are labels of other classes"
      )
    }
    manner = "by identifier: \(common) are in both lists"
    let isSame = countA == countB && numbers.elementsEqual((0..<UInt32(countA)))
    self.numbers = isSame ? nil : numbers
    self.isInB = common == countA ? nil : isInB
  }

  /// The identifiers of all classes; those behind the end of a list have their number, which is no text of a list.
  private static func identifiers(_ list: [String], _ count: Int) -> [String] {
    list.prefix(count) + (min(list.count, count)..<count).map { "\u{0}\($0)" }
  }

  /// The number here of a class of B.
  func number(ofB id: UInt32) -> UInt32 { numbers?[Int(id)] ?? id }

  /// True for a class that B has.
  func isInB(_ number: UInt32) -> Bool {
    Int(number) >= countA || isInB?[Int(number)] ?? true
  }

  /// The name of a class by its number here.
  func name(_ number: UInt32, _ a: ShardHeader, _ b: ShardHeader) -> String {
    let (table, id) =
      Int(number) < countA
      ? (a.metadata.classes ?? (numbers == nil ? b.metadata.classes : nil), Int(number))
      : (b.metadata.classes, Int(number) - countA)
    return table?.name(of: id) ?? "class \(id)"
  }
}
