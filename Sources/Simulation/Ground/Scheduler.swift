// Virtual time and one thread: tasks of the services run here, one job at a time, in the order in which they
// became ready; when none is ready, time jumps to the next event.
//
// Invariants: nothing of a run happens outside `run`; one event is worked off until all is quiet before the
// next begins, so what happens does not depend on the compiler or the machine.

/// The executor and clock of one run.
final class Scheduler: TaskExecutor, @unchecked Sendable {  // a run lives on one thread
  private struct Event {
    let at: UInt64
    let order: UInt64
    let action: () -> Void
  }

  /// Virtual milliseconds since the run began.
  private(set) var now: UInt64 = 0
  /// Events worked off.
  private(set) var events = 0
  private var jobs: [UnownedJob] = []
  private var head = 0
  private var heap: [Event] = []
  private var order: UInt64 = 0

  init() {}

  // MARK: Tasks

  func enqueue(_ job: consuming ExecutorJob) { jobs.append(UnownedJob(job)) }

  /// Starts a task.
  func spawn(_ body: @escaping @Sendable () async -> Void) {
    _ = Task(executorPreference: self, operation: body)
  }

  /// Suspends the task for so many virtual milliseconds.
  func sleep(_ milliseconds: Int) async {
    await withUnsafeContinuation { continuation in
      after(milliseconds) { continuation.resume() }
    }
  }

  private func drain() {
    let executor = asUnownedTaskExecutor()
    while head < jobs.count {
      let job = jobs[head]
      head += 1
      job.runSynchronously(on: executor)
    }
    jobs.removeAll(keepingCapacity: true)
    head = 0
  }

  // MARK: Events

  /// Does `action` so many milliseconds from now, after all that was put there before for that time.
  func after(_ milliseconds: Int, _ action: @escaping () -> Void) {
    let event = Event(at: now + UInt64(max(0, milliseconds)), order: order, action: action)
    order += 1
    heap.append(event)
    var child = heap.count - 1
    while child > 0 {
      let parent = (child - 1) / 2
      guard isBefore(heap[child], heap[parent]) else { break }
      heap.swapAt(child, parent)
      child = parent
    }
  }

  /// Works off the next event and all that it leads to at once. False if there is none.
  func step() -> Bool {
    drain()
    guard let event = pop() else { return false }
    now = max(now, event.at)
    events += 1
    event.action()
    drain()
    return true
  }

  private func isBefore(_ a: Event, _ b: Event) -> Bool { (a.at, a.order) < (b.at, b.order) }

  private func pop() -> Event? {
    guard let first = heap.first else { return nil }
    let last = heap.removeLast()
    guard !heap.isEmpty else { return first }
    heap[0] = last
    var parent = 0
    while true {
      var least = parent
      for child in [2 * parent + 1, 2 * parent + 2] where child < heap.count {
        if isBefore(heap[child], heap[least]) { least = child }
      }
      if least == parent { break }
      heap.swapAt(parent, least)
      parent = least
    }
    return first
  }
}
