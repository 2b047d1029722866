/// A sum for each class, and the list of classes that have one: memory that the owner frees.
///
/// Sums are all 0 between uses, so a use costs what it touches and not the number of classes. A
/// value of this type is copied into a local variable while it is added to: the compiler then keeps
/// its members in registers.
struct ClassSums {
  private let sums: UnsafeMutablePointer<Double>
  /// 1 for each class with a sum, padded to whole words.
  private let isTouched: UnsafeMutablePointer<UInt8>
  private let words: Int
  private let touched: UnsafeMutablePointer<UInt32>
  /// Classes with a sum.
  private(set) var count = 0

  /// Memory for `numClasses` sums, of which at most `limit` are used at a time.
  static func allocate(numClasses: Int, limit: Int) -> ClassSums {
    let words = (numClasses + 7) / 8
    let sums = ClassSums(
      sums: .allocate(capacity: numClasses),
      isTouched: .allocate(capacity: words * 8),
      words: words,
      // One place more: `add` writes before it knows whether the class is new.
      touched: .allocate(capacity: min(numClasses, limit) + 1)
    )
    sums.sums.initialize(repeating: 0, count: numClasses)
    sums.isTouched.initialize(repeating: 0, count: words * 8)
    return sums
  }

  private init(
    sums: UnsafeMutablePointer<Double>,
    isTouched: UnsafeMutablePointer<UInt8>,
    words: Int,
    touched: UnsafeMutablePointer<UInt32>
  ) {
    self.sums = sums
    self.isTouched = isTouched
    self.words = words
    self.touched = touched
  }

  /// Gives the memory back.
  func deallocate() {
    sums.deallocate()
    isTouched.deallocate()
    touched.deallocate()
  }

  /// Adds to the sum of a class, which must be below the number of classes.
  @inline(__always)
  mutating func add(_ value: Double, to classIndex: UInt32) {
    let place = Int(classIndex)
    // Without a branch: which classes are new is what a processor guesses worst.
    touched[count] = classIndex
    count &+= Int(1 &- isTouched[place])
    isTouched[place] = 1
    sums[place] += value
  }

  /// The sum of the class that came `place`-th.
  subscript(place: Int) -> Double {
    @inline(__always) get { sums[Int(touched[place])] }
    @inline(__always) nonmutating set { sums[Int(touched[place])] = newValue }
  }

  /// False when a sum is infinite or no number.
  var areFinite: Bool {
    var total = 0.0
    for place in 0..<count { total += self[place] }
    return total.isFinite
  }

  /// The classes with a sum, ascending, and their sums.
  func sorted() -> (classIndex: [UInt32], sums: [Double]) {
    // Few of many classes are sorted; else it is quicker to look at all of them, eight at a time.
    let ids =
      words > count * 8 ? UnsafeBufferPointer(start: touched, count: count).sorted() : inOrder()
    return (ids, ids.map { sums[Int($0)] })
  }

  /// The classes with a sum, ascending.
  private func inOrder() -> [UInt32] {
    [UInt32](unsafeUninitializedCapacity: count) { ids, found in
      let raw = UnsafeRawPointer(isTouched)
      for word in 0..<words {
        var bits = UInt64(
          littleEndian: raw.loadUnaligned(fromByteOffset: 8 &* word, as: UInt64.self)
        )
        // Each byte has one bit at most.
        while bits != 0 {
          ids[found] = UInt32(truncatingIfNeeded: 8 &* word &+ bits.trailingZeroBitCount / 8)
          found &+= 1
          bits &= bits &- 1
        }
      }
    }
  }

  /// Hands out every class with its sum, and sets all sums back to 0.
  @inline(__always)
  mutating func take(_ body: (_ classIndex: Int, _ sum: Double) -> Void) {
    for place in 0..<count {
      let id = Int(touched[place])
      body(id, sums[id])
      sums[id] = 0
      isTouched[id] = 0
    }
    count = 0
  }
}
