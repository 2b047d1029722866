import Relabel

/// `relabel_view` of relabel.h: its members in the same order, as C lays them out.
struct ViewRecord {
  /// `relabel_view_member` of relabel.h: the members that count.
  private struct Members: OptionSet {
    let rawValue: UInt32

    static let box: Members = Members(rawValue: 1 << 0)
    static let flip: Members = Members(rawValue: 1 << 1)
    static let seed: Members = Members(rawValue: 1 << 2)
    static let replay: Members = Members(rawValue: 1 << 3)
    static let mixupLambda: Members = Members(rawValue: 1 << 4)
    static let mixupImage: Members = Members(rawValue: 1 << 5)
    static let mixupSlot: Members = Members(rawValue: 1 << 6)
    static let cutmixLambda: Members = Members(rawValue: 1 << 7)
    static let cutmixImage: Members = Members(rawValue: 1 << 8)
    static let cutmixSlot: Members = Members(rawValue: 1 << 9)
    static let cutmixBox: Members = Members(rawValue: 1 << 10)
    static let operations: Members = Members(rawValue: 1 << 11)
  }

  private var has: Members = []
  private var number: Int32 = 0
  private var (top, left, height, width) = (0.0, 0.0, 0.0, 0.0)
  private var seed: Int64 = 0
  private var flip: Int32 = 0
  private var (epoch, batch, slot) = (Int32(0), Int32(0), Int32(0))
  private var mixupLambda = 0.0
  private var (mixupImage, mixupSlot) = (Int64(0), Int64(0))
  private var cutmixLambda = 0.0
  private var (cutmixImage, cutmixSlot) = (Int64(0), Int64(0))
  private var (cutTop, cutLeft, cutBottom, cutRight) = (Int32(0), Int32(0), Int32(0), Int32(0))

  /// The facts of a view, which was read from storage, where all numbers fit.
  init(_ view: LabelView) {
    number = Int32(truncatingIfNeeded: view.number)
    if let box = view.box {
      has.insert(.box)
      (top, left, height, width) = (box.top, box.left, box.height, box.width)
    }
    set(\.flip, .flip, view.isFlipped.map { $0 ? 1 : 0 })
    set(\.seed, .seed, view.seed)
    set(\.epoch, .replay, view.replay.map { Int32(truncatingIfNeeded: $0.epoch) })
    set(\.batch, .replay, view.replay.map { Int32(truncatingIfNeeded: $0.batch) })
    set(\.slot, .replay, view.replay.map { Int32(truncatingIfNeeded: $0.slot) })
    set(\.mixupLambda, .mixupLambda, view.mixupShare)
    set(\.mixupImage, .mixupImage, view.mixupPartner?.imageIndex)
    set(\.mixupSlot, .mixupSlot, view.mixupPartner?.slot.map(Int64.init))
    set(\.cutmixLambda, .cutmixLambda, view.cutmixShare)
    set(\.cutmixImage, .cutmixImage, view.cutmixPartner?.imageIndex)
    set(\.cutmixSlot, .cutmixSlot, view.cutmixPartner?.slot.map(Int64.init))
    if let box = view.cutmixBox {
      has.insert(.cutmixBox)
      cutTop = Int32(truncatingIfNeeded: box.top)
      cutLeft = Int32(truncatingIfNeeded: box.left)
      cutBottom = Int32(truncatingIfNeeded: box.bottom)
      cutRight = Int32(truncatingIfNeeded: box.right)
    }
    if view.operations != nil { has.insert(.operations) }
  }

  private mutating func set<Value>(
    _ member: WritableKeyPath<Self, Value>,
    _ bit: Members,
    _ value: Value?
  ) {
    guard let value else { return }
    self[keyPath: member] = value
    has.insert(bit)
  }
}
