"""Foreign writers and the quarantine (docs/ledger.md), explored exhaustively: every interleaving, with crashes.

A step is one transaction of the database or one request to the store, around one hash-addressed object. Processes:

  F  a foreign writer, twice: looks whether the object is there, uploads it if not, commits its row; it may die
  D  one of ours deletes rows, which puts the object into the trash in the same transaction
  G  our collector; it may crash before every step, and another one begins anew
  T  time: the grace period of what is kept ends. Assumed: not between a look of F and its commit, and not between the
     line and the removal by a collector that lives

Safety: the content of a committed row is at its place or in quarantine.
Liveness: from every state, if F is dead and the collector runs without crashing, rows have their object in its place, and
nothing is left in quarantine, trash or claims. (What F uploaded and has no row for is an audit's business.)

Without arguments: this must hold, and must stop to hold as soon as any one of the rules is dropped.
"""
import sys
from collections import deque
from typing import NamedTuple

RULES = {
    'write down before keeping': 'the line that tells of a kept object is committed before there is one',
    'keep before removing': 'an object is copied to quarantine before it is removed',
    'remove what was kept': 'only what could be copied is removed',
    'keep for the grace': 'what is kept is not removed before its time is over',
    'review reads references': 'what is kept is removed only if no committed row refers to the object',
    'put back before forgetting': 'what is kept goes only after it was put back',
    'renew the line': 'an object that comes to quarantine again has its whole time again',
}


class State(NamedTuple):
    exists: bool = True          # at its place
    kept: bool = False           # in quarantine
    line: bool = False           # of the trash, for what is kept
    young: bool = False          # its grace period is not over
    rows: frozenset = frozenset('A')
    trash: bool = False
    claim: bool = False
    f: object = 0
    rounds: int = 2              # that F will yet begin
    deletes: int = 2             # that D will yet do
    g: object = 'end'
    crashes: int = 2


class Model:
    def __init__(self, dropped=None):
        self.dropped = dropped

    def has(self, rule):
        assert rule in RULES
        return rule != self.dropped

    def steps(self, s):
        yield from self.foreign(s)
        if s.deletes and s.rows:
            for row in s.rows:
                yield f'D deletes {row}', s._replace(rows=s.rows - {row}, trash=True, deletes=s.deletes - 1)
        if s.g == 'end':
            yield 'G begins', s._replace(g='review')
            yield 'G begins without a review', s._replace(g='claims')
        else:
            yield self.collector(s)
            if s.crashes:
                yield 'G crashes', s._replace(g='end', crashes=s.crashes - 1)
        quick = s.f in (0, 'dead') and s.g not in ('keep', 'remove')
        if s.young and (quick or not self.has('keep for the grace')):
            yield 'the grace is over', s._replace(young=False)

    def foreign(self, s):
        if s.f == 'dead':
            return
        if s.f == 0 and s.rounds:
            yield 'F looks', s._replace(f='sure' if s.exists else 'missing', rounds=s.rounds - 1)
        elif s.f == 'missing':
            yield 'F uploads', s._replace(f='sure', exists=True)
        elif s.f == 'sure':
            yield 'F commits', s._replace(f=0, rows=s.rows | {f'F{s.rounds}'})
        yield 'F dies', s._replace(f='dead')

    def collector(self, s):
        """The next step; each place says where it goes on."""
        at, referenced = s.g, bool(s.rows)
        go = lambda label, to, **changes: (f'G {label}', s._replace(g=to, **changes))
        if at == 'review':
            if not s.line:
                return go('has nothing to review', 'claims')
            if referenced and self.has('review reads references'):
                first = 'put back' if self.has('put back before forgetting') else 'forget first'
                return go('sees a row', first)
            return go('sees no row', 'claims' if s.young else 'drop')
        if at == 'put back':
            return go('puts back', 'drop', exists=s.exists or s.kept)
        if at == 'forget first':
            return go('removes what was kept', 'put back', kept=False)
        if at == 'drop':
            return go('removes what was kept', 'unwrite', kept=False)
        if at == 'unwrite':
            return go('drops the line', 'claims', line=False, young=False)
        if at == 'claims':
            if s.claim:
                return go('finds a claim', 'release' if referenced else 'write down')
            return go('looks at the trash', 'trash' if s.trash else 'end')
        if at == 'trash':
            if referenced:
                return go('sees a row', 'end', trash=False)
            return go('sees no row', 'claim')
        if at == 'claim':
            return go('claims', 'write down', claim=True)
        if at == 'write down':
            if not self.has('write down before keeping'):
                return go('goes on', 'keep')
            young = True if self.has('renew the line') or not s.line else s.young
            return go('writes the line', 'keep', line=True, young=young)
        if at == 'keep':
            if not self.has('keep before removing'):
                return go('goes on', 'remove')
            if not s.exists and self.has('remove what was kept'):
                return go('finds nothing', 'look again')
            return go('copies', 'remove', kept=s.kept or s.exists)
        if at == 'remove':
            return go('removes', 'write late' if not self.has('write down before keeping') else 'look again', exists=False)
        if at == 'write late':
            return go('writes the line', 'look again', line=True, young=True)
        if at == 'look again':
            return go('looks again', 'put back again' if referenced else 'untrash')
        if at == 'put back again':
            return go('puts back', 'untrash', exists=s.exists or s.kept)
        if at == 'untrash':
            return go('untrashes', 'release', trash=False)
        return go('releases', 'end', claim=False)

    def left_over(self, s):
        s = s._replace(f='dead', g='end', deletes=0, crashes=0)
        for _ in range(4):
            s = s._replace(g='review', young=False)
            while s.g != 'end':
                s = self.collector(s)[1]
        if s.rows and not s.exists:
            return 'a row that stays without its object'
        if s.kept or s.line or s.trash or s.claim:
            return f'kept {s.kept}, line {s.line}, trash {s.trash}, claim {s.claim}'
        return None


def explore(model):
    start = State()
    came, queue = {start: None}, deque([start])
    while queue:
        s = queue.popleft()
        lost = s.rows and not s.exists and not s.kept
        wrong = 'a row whose content is lost' if lost else model.left_over(s)
        if wrong:
            way = []
            while came[s]:
                s, label = came[s]
                way.append(label)
            return wrong, way[::-1], len(came)
        for label, n in model.steps(s):
            if n not in came:
                came[n] = (s, label)
                queue.append(n)
    return None, [], len(came)


def main():
    wrong, way, states = explore(Model())
    print(f'{"the quarantine":42} {states:6} states: {wrong or "holds"}', *way, sep='\n    ')
    failed = bool(wrong)
    for rule in RULES:
        wrong, way, states = explore(Model(rule))
        print(f'without "{rule}"'.ljust(42), f'{states:6} states:', wrong or 'HOLDS, so the rule is not needed')
        if '-v' in sys.argv:
            print('   ', '\n    '.join(way))
        failed = failed or not wrong
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
