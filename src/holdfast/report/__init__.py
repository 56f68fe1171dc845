"""From results to something a person reads: one HTML file, a few lines of Markdown, or JUnit XML."""

from holdfast.report.audit_page import AuditPage, audit_page
from holdfast.report.junit import junit
from holdfast.report.markdown import markdown
from holdfast.report.page import JudgeError, Page, Section, Training
from holdfast.report.render import report

__all__ = ["AuditPage", "JudgeError", "Page", "Section", "Training", "audit_page", "junit", "markdown", "report"]
