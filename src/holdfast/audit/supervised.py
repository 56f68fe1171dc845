"""Which tokens are learned, and whose words they are."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from holdfast.audit.check import Figure, Material, Need
from holdfast.audit.seen import TEMPLATE, Seen
from holdfast.data import Finding

LEARNED = ("assistant", TEMPLATE)
"""Whose tokens may be learned: an answer's, and what closes its turn."""


@dataclass(frozen=True, slots=True)
class Supervised:
    """Notes only: what is wrong here is the template's markers, and not the row."""

    name: str = "supervised"
    says: str = "Rows of which training learns nothing, or learns what someone else than the assistant says."
    needs: Need = "view"
    restorable: bool = False

    def find(self, material: Material) -> Iterator[Finding | Figure]:
        """A note for each such row, and the learned tokens of every role."""
        view = material.view
        if view is None or not material.examples:
            return
        seen = view.read(material.examples, material.workers, material.tell)
        for row, one in zip(material.examples, seen, strict=True):
            others = [role for role, (_, learned) in one.roles.items() if learned and role not in LEARNED]
            if others:
                of = ", ".join(f"{one.roles[role][1]} of the {role}'s tokens" for role in others)
                said = next(turn.content for turn in row.turns if turn.role in others)
                reason = (
                    f"Training also learns {of}: the template's generation markers stand around more than the answer."
                )
                yield Finding(self.name, row.id, reason, said[:160], removes=False, verdict="other-role")
            elif not one.learned_uncut and not one.refused:
                reason = (
                    "No token of the row is learned, though it is not cut: the template's generation markers do not "
                    "stand around this answer. `tune` drops the row."
                )
                yield Finding(self.name, row.id, reason, row.answer[:160], removes=False, verdict="nothing")
            spared = next((turn for turn in row.turns if turn.more.get("weight") == 0), None)
            if spared and one.learned_uncut:
                reason = "A turn of weight 0 is not meant to be learned; `tune` does not read weights and learns it."
                yield Finding(self.name, row.id, reason, spared.content[:160], removes=False, verdict="weight")
        yield self._figure(seen)

    def _figure(self, seen: Sequence[Seen]) -> Figure:
        tokens: Counter[str] = Counter()
        learned: Counter[str] = Counter()
        for one in seen:
            for role, (all_of_it, part) in one.roles.items():
                tokens[role] += all_of_it
                learned[role] += part
        total, taught = sum(tokens.values()), sum(one.learned for one in seen)
        value = {
            "tokens": total,
            "learned": taught,
            "roles": {role: {"tokens": count, "learned": learned[role]} for role, count in tokens.most_common()},
        }
        if not total:
            return Figure(self.name, f"{taught} tokens are learned; this tokenizer cannot tell whose.", value)
        shares = ", ".join(
            f"{role} {count / total:.0%} ({learned[role]} of {count} learned)" for role, count in tokens.most_common()
        )
        says = (
            f"`tune` learns {taught} of {total} tokens ({taught / total:.0%}). By role: {shares}. A trainer that "
            "learns whole rows, as TRL does by default with `messages`, would learn them all."
        )
        return Figure(self.name, says, value)
