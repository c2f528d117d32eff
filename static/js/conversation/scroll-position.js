// Where somebody is in a conversation, and the ways to what is new.
import { find, findOptional } from '../page/dom.js';
import { keepPlace, placeIn, returnToPlace, scrollToPlace } from './kept-place.js';

const AT_BOTTOM_PX = 60;

export class ScrollPosition {
  #scroller;
  #toNewest;
  #toNew;
  #newMark;
  #groupId;

  /**
   * @param {HTMLElement} section
   * @param {() => void} onScroll
   */
  constructor(section, onScroll) {
    this.#scroller = find(section, '[data-scroller]');
    this.#toNewest = find(section, '[data-to-newest]');
    this.#toNew = findOptional(section, '[data-to-new]');
    this.#newMark = findOptional(section, '[data-new-mark]');
    this.#groupId = section.dataset.conversation;
    const isNewest = section.dataset.isNewest === 'true';
    this.#startButtons(isNewest);
    // All of a thread is on its page.
    const groupId = section.dataset.thread ? undefined : this.#groupId;
    if (!returnToPlace(this.#scroller, groupId)) this.#begin();
    keepPlace(this.#scroller, () => isNewest && this.#isAtBottom());
    this.#showButtons();
    const onMove = () => {
      this.#showButtons();
      onScroll();
    };
    this.#scroller.addEventListener('scroll', onMove, { passive: true });
    this.#followWidth();
  }

  /**
   * Lines that break elsewhere, since a thread opens beside them or a phone is turned, leave the first message in view
   * where it is.
   */
  #followWidth() {
    let width = this.#scroller.clientWidth;
    let place = this.#placeAbove();
    const note = () => {
      if (this.#scroller.clientWidth === width) place = this.#placeAbove();
    };
    this.#scroller.addEventListener('scroll', note, { passive: true });
    new ResizeObserver(() => {
      if (this.#scroller.clientWidth === width) return;
      width = this.#scroller.clientWidth;
      if (place) scrollToPlace(this.#scroller, place);
    }).observe(this.#scroller);
  }

  /** What is in view above the newest messages. */
  #placeAbove() {
    return this.#isAtBottom() ? undefined : placeIn(this.#scroller);
  }

  /**
   * Changes the content and keeps what is in view where it is, or stays at the bottom if it was there.
   * @param {() => void} insert changes the content
   * @param {{ mustShow?: boolean, isMessage?: boolean }} [options] whether to scroll down in any case; whether the
   *   change is a new message
   */
  keep(insert, { mustShow = false, isMessage = true } = {}) {
    const showsEnd = this.#isAtBottom() || mustShow;
    const place = showsEnd ? undefined : placeIn(this.#scroller);
    insert();
    if (place) scrollToPlace(this.#scroller, place);
    if (showsEnd) this.#scroller.scrollTop = 0;
    else if (isMessage) this.offerNewest();
  }

  offerNewest() {
    this.#toNewest.hidden = false;
    this.#toNewest.classList.add('has-new');
    this.#toNewest.textContent = 'New messages ↓';
  }

  goToNewest() {
    location.assign(`/groups/${this.#groupId}?newest=`);
  }

  // The scroller is a column-reverse flexbox: scrollTop is 0 at the bottom and negative above.
  #isAtBottom() {
    return this.#scroller.scrollTop > -AT_BOTTOM_PX;
  }

  #showButtons() {
    // The end of an older page has a link of its own.
    const isAtBottom = this.#isAtBottom();
    this.#toNewest.hidden = isAtBottom;
    if (isAtBottom) {
      this.#toNewest.classList.remove('has-new');
      this.#toNewest.textContent = 'To the newest ↓';
    }
    if (this.#toNew && this.#newMark) {
      const top = this.#scroller.getBoundingClientRect().top;
      this.#toNew.hidden = this.#newMark.getBoundingClientRect().bottom >= top;
    }
  }

  /** @param {boolean} isNewest whether the newest messages are on this page */
  #startButtons(isNewest) {
    this.#toNewest.addEventListener('click', () => {
      if (!isNewest) return this.goToNewest();
      this.#scroller.scrollTop = 0;
    });
    this.#toNew?.addEventListener('click', (event) => {
      if (!this.#newMark || !this.#toNew) return;
      event.preventDefault();
      this.#newMark.scrollIntoView({ block: 'start' });
      this.#toNew.hidden = true;
    });
  }

  /** Starts at the linked message or the first unread one. If all unread messages fit, that is the bottom. */
  #begin() {
    const linked = location.hash.startsWith('#message-') && document.getElementById(location.hash.slice(1));
    if (linked) {
      // Such as a hit of the search: it leads the focus there, too.
      linked.tabIndex = -1;
      linked.focus({ preventScroll: true });
    }
    const isAskedForNewest = new URLSearchParams(location.search).has('newest');
    if (!location.hash && !isAskedForNewest) this.#newMark?.scrollIntoView({ block: 'start' });
  }
}
