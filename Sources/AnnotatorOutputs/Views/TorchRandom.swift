/// The random numbers that `torch.Generator` gives on the CPU: MT19937 of Matsumoto and Nishimura, as published.
struct TorchRandom {
  private static let length = 624
  private var state: [UInt32]
  private var place = Self.length

  init(seed: UInt32) {
    state = [seed]
    for index in 1..<Self.length {
      let last = state[index - 1]
      state.append(1_812_433_253 &* (last ^ last >> 30) &+ UInt32(index))
    }
  }

  /// The next 32 bits.
  mutating func next() -> UInt32 {
    if place == Self.length { twist() }
    var bits = state[place]
    place += 1
    bits ^= bits >> 11
    bits ^= bits << 7 & 0x9D2C_5680
    bits ^= bits << 15 & 0xEFC6_0000
    return bits ^ bits >> 18
  }

  private mutating func twist() {
    for index in 0..<Self.length {
      let bits =
        state[index] & 0x8000_0000 | state[(index + 1) % Self.length] & 0x7FFF_FFFF
      let odd: UInt32 = bits & 1 == 0 ? 0 : 0x9908_B0DF
      state[index] = state[(index + 397) % Self.length] ^ bits >> 1 ^ odd
    }
    place = 0
  }

  /// What `torch.randperm` gives: each place takes one of those that are left.
  ///
  /// - Parameter count: below 2³² / 20, from where on torch draws 64 bits.
  /// - Returns: the numbers below `count`.
  mutating func permutation(_ count: Int) -> [Int32] {
    var numbers = (0..<Int32(count)).map { $0 }
    for place in 0..<max(count - 1, 0) {
      let other = place + Int(next()) % (count - place)
      numbers.swapAt(place, other)
    }
    return numbers
  }
}
