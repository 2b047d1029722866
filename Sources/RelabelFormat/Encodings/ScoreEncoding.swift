/// How scores are stored (spec, "Score encodings").
public struct ScoreEncoding: Hashable, Sendable {
  /// The stored form.
  public enum Name: String, Hashable, Sendable, CaseIterable {
    /// 0…65534 in 16 bits, a fixed step apart.
    case fixed16
    /// 0…254 in 8 bits, a fixed step apart.
    case fixed8
    /// IEEE binary16.
    case float16
    /// IEEE binary32: scores stay bit for bit what they were.
    case float32
  }

  /// Step and offset of a packed encoding: `value = stored × step + offset`.
  public struct Packing: Hashable, Sendable {
    /// The distance between neighbouring values, a power of two.
    public let step: Float
    /// The value of stored 0, a multiple of the step.
    public let offset: Float

    /// Makes a packing.
    public init(step: Float, offset: Float) {
      self.step = step
      self.offset = offset
    }
  }

  /// The stored form.
  public let name: Name
  /// Step and offset; nil for the float encodings.
  public let packing: Packing?
  /// The largest error the user allows; scores that would exceed it are refused.
  public let maximumError: Double?

  package init(name: Name, packing: Packing?, maximumError: Double? = nil) {
    self.name = name
    self.packing = packing
    self.maximumError = maximumError
  }

  /// The default encoding of a score kind, or one whose error stays within `maximumError`.
  ///
  /// The step of a packed encoding is the largest power of two whose half is within the error, so
  /// that decoding is exact in float32 in every client.
  /// - Throws: `.usage` when the encoding can't hold the kind's range at that step.
  public init(_ name: Name, for kind: ScoreKind, maximumError: Double? = nil) throws(RelabelError) {
    if let maximumError, !(maximumError > 0 && maximumError.isFinite) {
      throw RelabelError(.usage, "the largest error must be a positive number")
    }
    guard let highest = name.highestStored else {
      self.init(name: name, packing: nil, maximumError: maximumError)
      return
    }
    var step = name.defaultStep(for: kind)
    if let maximumError {
      let exponent = (maximumError * 2).exponent
      guard (-60...60).contains(exponent) else {
        throw RelabelError(.usage, "\(name.rawValue) has no step for an error of \(maximumError)")
      }
      step = Double(sign: .plus, exponent: Int(exponent), significand: 1)
    }
    let offset: Double =
      switch kind {
      // 8 bits are too short to centre: real top-5 logits lie between 0.09 and 61.
      case .logit: name.form == .packed8 ? -8 * step : -32_768 * step
      case .probability: 0
      // The highest stored value is 0 exactly: a probability of 1.
      case .logProbability: -highest * step
      }
    if kind == .probability, highest * step < 1 {
      throw RelabelError(
        .usage,
        "\(name.rawValue) can't hold a probability of 1 at an error of \(step / 2); "
          + "use --score-encoding float32 or a larger --max-error"
      )
    }
    self.init(
      name: name,
      packing: Packing(step: Float(step), offset: Float(offset)),
      maximumError: maximumError
    )
  }

  /// The largest difference between a given and a decoded score, where the encoding promises one.
  public var bound: Double? {
    switch name.form {
    case .packed8, .packed16: packing.map { Double($0.step) / 2 }
    case .half: maximumError
    case .single: 0
    }
  }

  /// What rounding can add to a probability near 1 (spec, section 6.7).
  package var slack: Double {
    switch name.form {
    case .packed8, .packed16: packing.map { Double($0.step) / 2 } ?? 0
    case .half: 0x1p-11
    case .single: 1e-4
    }
  }

  /// What rounding can add to the sum of `count` probabilities (spec, section 6.7).
  package func sumSlack(_ count: Int) -> Double {
    name.form == .single ? slack : Double(count) * slack
  }

  /// What storing can have moved a score by, without what the user allowed (rule V022).
  package func rounding(of score: Double) -> Double {
    switch name.form {
    case .packed8, .packed16: Double(packing?.step ?? 0) / 2
    case .half: abs(score) * 0x1p-11 + 0x1p-25
    case .single: 0
    }
  }

  /// The HDF5 type of the `score` dataset.
  package var elementType: ElementType { name.form.elementType }

  /// Lowest and highest value the encoding can hold.
  public var range: ClosedRange<Float> {
    switch name.form {
    case .half: return -65_504...65_504
    case .single: return -Float.greatestFiniteMagnitude...Float.greatestFiniteMagnitude
    case .packed8, .packed16:
      guard let packing, let highest = name.highestStored else { return 0...0 }
      return packing.offset...(Float(highest) * packing.step + packing.offset)
    }
  }
}

extension ScoreEncoding {
  /// What stands in the elements of `score`: all that code needs to know of an encoding to read them.
  @usableFromInline
  package enum Form: Sendable, CaseIterable {
    /// Whole numbers of 8 bits, a step apart.
    case packed8
    /// Whole numbers of 16 bits, a step apart.
    case packed16
    /// IEEE binary16.
    case half
    /// IEEE binary32.
    case single

    /// The HDF5 type of the elements.
    package var elementType: ElementType {
      switch self {
      case .packed8: .uint8
      case .packed16: .uint16
      case .half: .float16
      case .single: .float32
      }
    }
  }
}

// What a name stands for; the rest of the house asks for form, step and offset, never for a name.
extension ScoreEncoding.Name {
  /// What stands in the elements.
  package var form: ScoreEncoding.Form {
    switch self {
    case .fixed16: .packed16
    case .fixed8: .packed8
    case .float16: .half
    case .float32: .single
    }
  }

  /// The highest stored value of a packed encoding; all ones is reserved for "never written".
  package var highestStored: Double? {
    switch self {
    case .fixed16: 65_534
    case .fixed8: 254
    case .float16, .float32: nil
    }
  }

  fileprivate func defaultStep(for kind: ScoreKind) -> Double {
    switch (self, kind) {
    case (.fixed8, .logit), (.fixed8, .logProbability): 0x1p-2
    case (.fixed8, .probability): 0x1p-7
    case (_, .logit): 0x1p-8
    case (_, .probability): 0x1p-15
    case (_, .logProbability): 0x1p-10
    }
  }
}
