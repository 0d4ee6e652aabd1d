"""The protocol of the ledger (docs/ledger.md), explored exhaustively: every interleaving of writers, a deleter and
collectors around one object, a crash before every step, leases that run out, removals that fail, power cuts.

A step is one transaction of the database, one of the ledger's side, or one request to the store. Processes:

  A, B  insert rows that refer to the same object: intent, look or write, commit with the witness; they may give up
  D     deletes the row of A; what it referred to goes to the trash in the same transaction
  G, H  collectors, one at a time by a lease

Safety: in every reachable state, if a committed row refers to the object, the object is there.
Liveness: from every reachable state, if everybody dies and one collector then runs without crashing, nothing is left:
no object without a row, no trash, no claim, no intent.

Without arguments: the protocol must hold, and must stop to hold as soon as any one of its rules is dropped.
With the name of a rule: shows the shortest way to the disaster without it.
"""
import sys
from collections import deque
from typing import NamedTuple

RULES = {
    'announce first': 'an intent is committed before the first byte is written',
    'respect claims': 'no intent begins on a path that a collector has claimed',
    'one witness': 'an intent has one witness, done or void; who comes second rolls back',
    'look at the lease': "a writer prunes its settled intents only while nobody holds the collector's lease",
    'intents before references': 'a collector forgets settled intents before it reads references, never after',
    'read references': 'a collector removes only what no committed row refers to',
    'claims respect intents': 'a path is not claimed while an intent that is not void names it',
    'remember void': 'the witness void stays as long as its writer might commit',
    'trash with the rows': 'trash is written in the transaction that deletes the row',
    'keep void intents of living writers': 'a void intent is not forgotten while its writer may still write',
    'untrash what was read': 'only lines of trash that were read before the references leave the trash',
    'remove before unclaim': 'a claim is released after the removal',
    'claim before untrash': 'what is taken from the trash has been claimed and removed',
    'claim before forgetting void': 'a void intent is forgotten after its paths were removed',
    'patient takeover': 'the lease of a living collector is not taken over',
    'finish claims': 'what a collector that died has claimed is removed by the next one before it is released',
    'claims read references': 'before the claim of a dead collector is finished, references are read again',
}
WRITERS, COLLECTORS = 'AB', 'GH'
PROCESSES = 'ABDGH'


class Process(NamedTuple):
    at: object = 0          # the next step; 'end'; 'dead'
    saw: tuple = ()         # what a collector remembers: ids known void, candidate or not, referenced or not


class State(NamedTuple):
    exists: bool = False
    rows: frozenset = frozenset()
    trash: frozenset = frozenset()          # lines; whose row it was
    witnesses: frozenset = frozenset()      # (id, verdict)
    intents: frozenset = frozenset()        # ids
    claim: object = None
    lease: object = None
    late: frozenset = frozenset()           # writers whose lease ran out though they live
    durable: tuple = None                   # of the side (intents, claim, lease), what survives a power cut
    cut: bool = False
    processes: tuple = tuple(Process() for _ in PROCESSES)


def verdict(s, writer):
    return dict(s.witnesses).get(writer)


def with_verdict(s, writer, v):
    return frozenset({**dict(s.witnesses), writer: v}.items())


class Model:
    def __init__(self, dropped=None, power=False):
        self.dropped, self.power = dropped, power

    def has(self, rule):
        assert rule in RULES
        return rule != self.dropped

    def process(self, s, name):
        return s.processes[PROCESSES.index(name)]

    def gone(self, s, name):
        return self.process(s, name).at in ('end', 'dead')

    # Each yields (label, next step of the process, what it saw, changes).
    def writer(self, s, me, p):
        if p.at == 0:
            if not self.has('announce first'):
                yield 'no intent', 1, (), {}
            elif s.claim is None or not self.has('respect claims'):
                yield 'intent', 1, (), dict(intents=s.intents | {me})
        elif p.at == 1:
            yield ('it is there', 3, (), {}) if s.exists else ('it is missing', 2, (), {})
        elif p.at == 2:
            yield 'write', 3, (), dict(exists=True)
        elif p.at == 3:
            if verdict(s, me) is None or not self.has('one witness'):
                yield 'commit', 4, (), dict(rows=s.rows | {me}, witnesses=with_verdict(s, me, 'done'))
            else:
                yield 'lease lost', 5, (), {}
            yield 'change its mind', 5, (), {}
        elif p.at == 4:                                     # pruned with its next intent, the witness with its next rows
            if s.lease is None or self.process(s, s.lease).at == 'dead' or not self.has('look at the lease'):
                yield 'prune intent', 6, (), dict(intents=s.intents - {me})
        elif p.at == 5:
            yield 'give up', 'end', (), {} if verdict(s, me) else dict(witnesses=with_verdict(s, me, 'void'))
        elif p.at == 6:
            yield 'prune witness', 'end', (), dict(witnesses=s.witnesses - {(me, 'done')})

    def deleter(self, s, me, p):
        if p.at == 0 and 'A' in s.rows:
            if self.has('trash with the rows'):
                yield 'delete', 'end', (), dict(rows=s.rows - {'A'}, trash=s.trash | {'A'})
            else:
                yield 'delete', 1, (), dict(rows=s.rows - {'A'})
        elif p.at == 1:
            yield 'trash', 'end', (), dict(trash=s.trash | {'A'})

    def collector(self, s, me, p):
        if p.at == 0:
            holder = s.lease
            if (holder is None or self.process(s, holder).at == 'dead' or
                    (not self.has('patient takeover') and holder != me)):
                yield 'lease', 1, (), dict(lease=me)
        elif p.at == 1:
            if s.claim is None:
                yield 'no claims', 'intents', (), {}
            elif not self.has('finish claims'):
                yield 'drop a claim', 'intents', (), dict(claim=None, trash=frozenset())
            else:
                yield 'take over a claim', 2, (), dict(claim=me)
        elif p.at == 2:
            if s.rows and self.has('claims read references'):
                yield 'claimed, and referred to', 4, (), {}
            else:
                yield 'claimed, and not referred to', 3, (), {}
        elif p.at == 3:
            yield 'finish a removal', 4, (), dict(exists=False)
        elif p.at == 4:
            yield 'unclaim', 'intents', (), dict(claim=None)
        elif p.at == 'intents':
            yield 'read intents', 'decide', (s.intents,), {}
            if not self.has('intents before references'):
                yield 'read references first', 'late intents', (bool(s.rows),), {}
        elif p.at == 'late intents':
            done = {w for w in s.intents if verdict(s, w) == 'done'}
            void = {w for w in s.intents if verdict(s, w) == 'void'}
            found = bool(void) or bool(s.trash)
            yield 'forget done', 'claim' if found and not p.saw[0] else 'release', (frozenset(void), s.trash, frozenset(void)), \
                dict(intents=s.intents - done)
        elif p.at == 'decide':
            w = dict(s.witnesses)
            for writer in p.saw[0]:
                if writer not in w and (self.gone(s, writer) or writer in s.late):
                    w[writer] = 'void'
            done = frozenset(x for x in p.saw[0] if w.get(x) == 'done')
            void = frozenset(x for x in p.saw[0] if w.get(x) == 'void')
            gone = frozenset(x for x in void if self.gone(s, x))      # before anything is removed
            yield 'decide', 'forget', (done, void, gone), dict(witnesses=frozenset(w.items()))
        elif p.at == 'forget':
            yield 'forget done', 'candidates', p.saw[1:], dict(intents=s.intents - p.saw[0])
        elif p.at == 'candidates':
            void, gone = p.saw
            if not void and not s.trash:
                yield 'nothing to do', 'release', (), {}
            else:
                changes = {}
                if not self.has('claim before untrash'):
                    changes['trash'] = frozenset()
                if not self.has('claim before forgetting void'):
                    changes['intents'] = s.intents - void
                yield 'candidates', 'references', (void, s.trash, gone), changes
        elif p.at == 'references':
            needed = bool(s.rows) and self.has('read references')
            yield f'referred to: {needed}', 'settle' if needed else 'claim', p.saw, {}
        elif p.at == 'claim':
            live = s.intents - p.saw[0]
            if s.claim is not None or (live and self.has('claims respect intents')):
                yield 'claim refused', 'release', (), {}
            else:
                yield 'claim', 'remove' if self.has('remove before unclaim') else 'unclaim', p.saw, dict(claim=me)
        elif p.at == 'remove':
            yield 'remove', 'settle' if self.has('remove before unclaim') else 'forget void', p.saw, dict(exists=False)
            yield 'removal fails', 'release', (), {}
        elif p.at == 'settle':
            keep = frozenset((w, v) for w, v in s.witnesses
                             if (w in s.intents if v == 'done' else self.has('remember void')))
            yield 'untrash', 'unclaim' if s.claim == me else 'forget void', p.saw, \
                dict(trash=s.trash - p.saw[1] if self.has('untrash what was read') else frozenset(), witnesses=keep)
        elif p.at == 'unclaim':
            yield 'unclaim', 'forget void' if self.has('remove before unclaim') else 'remove', p.saw, dict(claim=None)
        elif p.at == 'forget void':
            over = p.saw[0]
            if self.has('keep void intents of living writers'):
                over = p.saw[2]
            rest = s.intents - over
            yield 'forget void', 'release', (), dict(intents=rest)
        elif p.at == 'release':
            yield 'release', 'end', (), dict(lease=None) if s.lease == me else {}

    def steps_of(self, s, name):
        p = self.process(s, name)
        if p.at in ('end', 'dead'):
            return
        kind = self.writer if name in WRITERS else self.deleter if name == 'D' else self.collector
        i = PROCESSES.index(name)
        for label, at, saw, changes in kind(s, name, p):
            processes = s.processes[:i] + (Process(at, saw),) + s.processes[i + 1:]
            yield f'{name}: {label}', s._replace(processes=processes, **changes)

    def steps(self, s):
        for name in PROCESSES:
            yield from self.steps_of(s, name)
            p = self.process(s, name)
            i = PROCESSES.index(name)
            if p.at not in (0, 'end', 'dead') and not self.power:       # a power cut kills them all
                processes = s.processes[:i] + (Process('dead'),) + s.processes[i + 1:]
                yield f'{name} dies', s._replace(processes=processes)
            if name in WRITERS and name not in s.late and name in s.intents and not self.power:
                yield f'the lease of {name} runs out', s._replace(late=s.late | {name})
        if self.power and not s.cut:
            side = (s.intents, s.claim, s.lease)
            if s.durable != side:
                yield 'the side is made durable', s._replace(durable=side)
            intents, claim, lease = s.durable or (frozenset(), None, None)
            processes = tuple(p if p.at == 0 else Process('dead') for p in s.processes)
            yield 'POWER CUT', s._replace(cut=True, durable=None, intents=intents, claim=claim, lease=lease,
                                          processes=processes)

    def left_over(self, s):
        """Everybody dies; one collector runs, again as long as there is something to do. What is left then?"""
        s = s._replace(processes=tuple(Process('dead') for _ in PROCESSES), lease=s.lease and 'G')
        for _ in range(4):
            before = s
            i = PROCESSES.index('H')
            s = s._replace(processes=s.processes[:i] + (Process(),) + s.processes[i + 1:])
            while self.process(s, 'H').at != 'end':
                _, s = next(iter(self.steps_of(s, 'H')))
            s = s._replace(processes=before.processes)
            if s == before:
                break
        if s.exists and not s.rows:
            return 'an object without a row'
        if s.rows and not s.exists:
            return 'a row without its object'
        if s.trash or s.claim or s.intents or s.lease:
            return f'trash {set(s.trash)}, claim {s.claim}, intents {set(s.intents)}, lease {s.lease}'
        return None


def explore(model, live=True, deep=False):
    """What goes wrong, the shortest way to it (not if `deep`, which finds it sooner), how many states there are."""
    start = State()
    came = {start: None}
    settled = {}
    queue = deque([start])
    while queue:
        s = queue.pop() if deep else queue.popleft()
        wrong = 'a row without its object' if s.rows and not s.exists else None
        if not wrong and live:
            # Who is where makes no difference once everybody is dead.
            key = s._replace(processes=(), late=frozenset())
            if key not in settled:
                settled[key] = model.left_over(s)
            wrong = settled[key]
        if wrong:
            return wrong, path(came, s), len(came)
        for label, n in model.steps(s):
            if n not in came:
                came[n] = (s, label)
                queue.append(n)
    return None, [], len(came)


def path(came, s):
    labels = []
    while came[s]:
        s, label = came[s]
        labels.append(label)
    return labels[::-1]


def main():
    if len(sys.argv) > 1:
        rule = sys.argv[1]
        wrong, way, _ = explore(Model(rule, power=rule == 'claims read references'), live=rule != 'claims read references')
        print(wrong, *way, sep='\n  ')
        return 0
    failed = False
    # A power cut may lose what the side was last told, and with it the knowledge of a leak: there, safety alone.
    for name, power in (('crashes and late leases', False), ('power cuts', True)):
        wrong, way, states = explore(Model(power=power), live=not power)
        print(f'{name:32} {states:8} states: {wrong or "holds"}')
        if wrong:
            failed = True
            print('   ', '\n    '.join(way))
    for rule, text in RULES.items():
        power = rule == 'claims read references'
        wrong, way, states = explore(Model(rule, power=power), live=not power, deep=True)
        print(f'without "{rule}"'.ljust(42), f'{states:8} states:', wrong or 'HOLDS, so the rule is not needed')
        failed = failed or not wrong
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
