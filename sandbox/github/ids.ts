/** GitHub's own number of the one repository. */
export const REPOSITORY_ID = 1_296_269;
