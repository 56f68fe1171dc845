"""From results to something a person reads: one HTML file, or a few lines of Markdown."""

from holdfast.report.audit_page import AuditPage, audit_page
from holdfast.report.markdown import markdown
from holdfast.report.page import JudgeError, Page, Section, Training
from holdfast.report.render import report

__all__ = ["AuditPage", "JudgeError", "Page", "Section", "Training", "audit_page", "markdown", "report"]
